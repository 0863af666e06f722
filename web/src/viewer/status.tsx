// The line under the picture: where the cursor is, and what is there.

import { useResolution, type Known } from "./keys";
import type { Value } from "./pane";
import { NOT_A_NUMBER } from "./pyramid";
import type { Cursor } from "./stage";

export function valueInWords({ layer, values }: Value): string {
  if (layer.colors) {
    const [value] = values;
    const known = layer.colors.find((color) => color.value === value);
    return known ? `${known.label} (${value})` : String(value);
  }
  return values.map(number).join(", ");
}

const number = (value: number) => {
  if (value === NOT_A_NUMBER) return "not a number";
  return Number.isInteger(value) ? String(value) : Number(value.toPrecision(6)).toString();
};

export function Status({ known, cursor }: { known: Known; cursor: Cursor | null }) {
  const { looked, entries, view } = known;
  const resolution = useResolution(view);
  const titleOf = (key: string) => entries.find((entry) => entry.key === key)?.title ?? key;
  const methods = [looked.method, looked.beside];
  const isOfMethod = (key: string) => entries.find((entry) => entry.key === key)?.isOfMethod;
  const parts = (cursor?.values ?? []).flatMap((values, i) =>
    values
      // what both pictures share stands once
      .filter(({ key }) => i === 0 || isOfMethod(key))
      .map((value) => ({
        title: titleOf(value.key) + (looked.beside && isOfMethod(value.key) ? `, ${methods[i]}` : ""),
        text: valueInWords(value),
      })),
  );
  const reduction = Math.max(1, ...(cursor?.values.flat().map((value) => value.reduction) ?? []));
  return (
    <div class="status" data-resolution={resolution}>
      <output class="position" aria-label="Position">
        {cursor ? `x ${cursor.x}, y ${cursor.y}${looked.sample.planes > 1 ? `, z ${looked.plane}` : ""}` : ""}
      </output>
      <dl class="values">
        {parts.map(({ title, text }) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      {reduction > 1 && (
        <small>
          of {reduction} × {reduction} px: zoom in for each
        </small>
      )}
      {!cursor && (
        <small>
          {looked.sample.width} × {looked.sample.height} px
          {looked.sample.planes > 1 && `, ${looked.sample.planes} planes`}
        </small>
      )}
    </div>
  );
}
