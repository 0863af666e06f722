// A plot of Observable Plot, with its caption, and its export as SVG and CSV.

import * as Plot from "@observablehq/plot";
import { useEffect, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";

type Cell = string | number | null | undefined;

interface Props {
  /** Also the name of the files that are exported. */
  name: string;
  /** What is seen, for those who do not see it. */
  description: string;
  options: Plot.PlotOptions;
  rows: Record<string, Cell>[];
  children?: ComponentChildren;
}

export function Figure({ name, description, options, rows, children }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const style = { background: "transparent", color: "currentColor", fontSize: "12px" };
    const plot = Plot.plot({ style, ...options, ariaLabel: description });
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", description);
    // a group without a role has no name, and a legend says nothing that the description does not
    for (const group of plot.querySelectorAll("g[aria-label]")) group.removeAttribute("aria-label");
    if (plot.tagName !== "svg")
      for (const part of plot.querySelectorAll("svg")) part.setAttribute("aria-hidden", "true");
    place.current?.replaceChildren(plot);
  });
  const svg = () => {
    const drawn = place.current?.querySelector("svg");
    if (!drawn) return;
    const copy = drawn.cloneNode(true) as SVGElement;
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("style", "background:#fff;color:#222;font:12px sans-serif");
    save(`${name}.svg`, "image/svg+xml", new XMLSerializer().serializeToString(copy));
  };
  return (
    <figure class="plot">
      <div class="wide" ref={place} />
      <figcaption>
        <span>{children}</span>
        <span class="exports">
          <button type="button" onClick={svg} aria-label={`Save ${name} as SVG`}>
            SVG
          </button>
          <button
            type="button"
            onClick={() => save(`${name}.csv`, "text/csv", csv(rows))}
            aria-label={`Save ${name} as CSV`}
          >
            CSV
          </button>
        </span>
      </figcaption>
    </figure>
  );
}

export function csv(rows: Record<string, Cell>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const written = (cell: Cell) => {
    const text = cell === null || cell === undefined ? "" : String(cell);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  return `${lines.map((line) => line.map(written).join(",")).join("\n")}\n`;
}

export function save(name: string, type: string, content: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Room for names beside a plot, in pixels. */
export const roomFor = (names: string[]) =>
  Math.min(Math.max(...names.map((name) => 7 * name.length), 40) + 20, 260);

/** A table that scrolls by itself on a narrow screen, also with the keyboard. */
export function Wide({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="wide" role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
