// Methods side by side: scores with intervals, ranks, paired differences, and how parameters were chosen.

import * as Plot from "@observablehq/plot";
import { useState } from "preact/hooks";
import { type Metric, number, type Row, rows, text, texts, numbers, type Value } from "./data";
import { interval, short } from "./digits";
import { count, estimateInWords, NOTHING } from "./format";
import { ink, scale } from "./colors";
import { Term } from "./glossary";
import { ranked, references, runnerUp, unitsWord, useShown } from "./model";
import { Figure, roomFor, Wide } from "./plots";

const labelOf = (metrics: Map<string, Metric>, name: string) => metrics.get(name)?.label ?? name;

export function Compare() {
  const { data, metric, metrics } = useShown();
  return (
    <>
      {metric.name !== data.metric && (
        <p class="note">
          Shown by {metric.label}. The verdict, the learning curve and chosen parameters stay with{" "}
          {labelOf(metrics, data.metric)}, the metric of the decision.
        </p>
      )}
      <p>{metric.explained}</p>
      <Intervals />
      <Methods />
      <Differences />
      <Ranks />
      {Object.keys(data.sweeps).map((method) => (
        <Sweep key={method} method={method} />
      ))}
      {Object.keys(data.learning_curves).map((method) => (
        <TrainingCurve key={method} method={method} />
      ))}
      <LearningCurve />
    </>
  );
}

interface Scored {
  method: string;
  value: Value;
  low: Value;
  high: Value;
  estimate: string;
  row: Row;
}

function useScored(): Scored[] {
  const shown = useShown();
  const own = new Map(
    shown.scores
      .filter((row) => row.metric === shown.metric.name)
      .map((row) => [`${text(row.method)} ${text(row.estimate)}`, row]),
  );
  return ranked(shown, shown.metric.name).map((row) => {
    const method = text(row.method);
    const estimate = text(row.estimate);
    const score = own.get(`${method} ${estimate}`);
    return {
      method,
      estimate,
      value: number(row.value) ?? number(score?.micro),
      low: number(row.low) ?? number(score?.micro_low),
      high: number(row.high) ?? number(score?.micro_high),
      row,
    };
  });
}

/** Letters of lines near each other stand at different heights. */
const STAGGERED = 3;
const letter = (i: number) => String.fromCharCode(97 + (i % 26));

function Intervals() {
  const shown = useShown();
  const { metric, data } = shown;
  const scored = useScored();
  const lines = references(shown, metric.name)
    // a consensus that annotators are part of is near each of them
    .filter((row) => row.estimate !== "against the consensus of all annotators")
    .map((row) => ({ name: text(row.method), value: number(row.micro) }));
  // of references for several filters, the highest of each kind; a plot with all of them is a fence
  const kinds = new Map<string, (typeof lines)[number]>();
  for (const line of lines) {
    if (line.value === null || line.name.startsWith("random")) continue;
    const kind = line.name.split(",")[0]!;
    if ((kinds.get(kind)?.value ?? -Infinity) < line.value) kinds.set(kind, line);
  }
  const drawn = [...kinds.values()];
  const hidden = lines.filter((line) => line.value !== null).length - drawn.length;
  const known = scored.filter((one) => one.value !== null);
  if (!known.length) return <p>No method has a score: no tile is annotated.</p>;
  // lines that are far below would press the methods together
  const least = Math.min(...known.map((one) => one.low ?? one.value!));
  const greatest = Math.max(...known.map((one) => one.high ?? one.value!));
  const room = Math.max(greatest - least, 0.02);
  const near = drawn
    .filter((line) => line.value! > least - 1.5 * room && line.value! < greatest + 1.5 * room)
    .sort((a, b) => a.value! - b.value!);
  const far = drawn.filter((line) => !near.includes(line));
  return (
    <section aria-labelledby="intervals">
      <h3 id="intervals">
        <Term name={metric.name}>{metric.label}</Term> of the methods
      </h3>
      <Figure
        name={`intervals-${metric.name}`}
        description={`${metric.label} of ${known.length} methods with intervals: ${known
          .map((one) => `${one.method} ${short(one.value)}`)
          .join(", ")}`}
        rows={[
          ...known.map(({ method, estimate, value, low, high }) => ({
            method,
            estimate,
            value,
            low,
            high,
          })),
          ...lines.map(({ name, value }) => ({
            method: name,
            estimate: "reference",
            value,
            low: null,
            high: null,
          })),
        ]}
        options={{
          marginLeft: roomFor(known.map((one) => one.method)),
          marginRight: 60,
          marginTop: 20 + 14 * Math.min(near.length, STAGGERED),
          height: 60 + 26 * known.length + 14 * Math.min(near.length, STAGGERED),
          width: 1240,
          marginBottom: 45,
          x: { label: metric.label, labelOffset: 38, grid: true, nice: true },
          y: { label: null, domain: known.map((one) => one.method), tickSize: 0 },
          marks: [
            Plot.ruleX(near, { x: "value", stroke: "currentColor", strokeDasharray: "3,3", opacity: 0.6 }),
            ...near.map((line, i) =>
              Plot.text([line], {
                x: "value",
                frameAnchor: "top",
                dy: -8 - 14 * (i % STAGGERED),
                text: () => letter(i),
                fill: "currentColor",
              }),
            ),
            Plot.ruleY(
              known.filter((one) => one.low !== null),
              { x1: "low", x2: "high", y: "method", stroke: "var(--accent)", strokeWidth: 3, opacity: 0.55 },
            ),
            Plot.dot(known, {
              x: "value",
              y: "method",
              r: 5,
              fill: (one: Scored) => (one.estimate === "resubstitution" ? "none" : "var(--accent)"),
              stroke: "var(--accent)",
              strokeWidth: 2,
            }),
            Plot.text(known, {
              x: (one: Scored) => one.high ?? one.value,
              y: "method",
              text: (one: Scored) => short(one.value),
              dx: 10,
              textAnchor: "start",
              fill: "currentColor",
            }),
          ],
        }}
      >
        {known.some((one) => one.low === null)
          ? `${text(known.find((one) => one.low === null)?.row.note) || "Some have no interval"}. `
          : `Bars are ${Math.round(100 * (data.decision?.confidence ?? 0.95))}% intervals. `}
        {near.length > 0 && (
          <>
            Dashed: {near.map((line, i) => `${letter(i)} ${line.name} ${short(line.value)}`).join("; ")}.{" "}
          </>
        )}
        {far.length > 0 && (
          <>Beyond the plot: {far.map((line) => `${line.name} ${short(line.value)}`).join("; ")}. </>
        )}
        {hidden > 0 && `${hidden} more reference scores, lower or of chance, are in the CSV. `}
        A ring is a score that is too high: parameters were chosen on the tiles that are scored.
      </Figure>
    </section>
  );
}

function Methods() {
  const { data, methods, metric, a, b, change } = useShown();
  const [open, setOpen] = useState("");
  const scored = useScored();
  const hasGuard = scored.some((one) => one.row.guard);
  const hasRelation = scored.some((one) => one.row.relation && one.row.relation !== "not tested");
  const hasInterval = scored.some((one) => one.low !== null);
  const hasShare = scored.some((one) => number(one.row.p_best) !== null);
  const hasCost = scored.some((one) => methods.get(one.method)?.cost);
  const columns = 6 + [hasGuard, hasRelation, hasInterval, hasShare, hasCost].filter(Boolean).length;
  return (
    <section aria-labelledby="methods">
      <h3 id="methods">Methods</h3>
      <Wide label="Methods">
        <table class="methods">
          <thead>
            <tr>
              <th scope="col" class="number">
                rank
              </th>
              <th scope="col">method</th>
              <th scope="col" class="number">
                {metric.label}
              </th>
              {hasInterval && (
                <th scope="col" class="number">
                  <Term name="interval">interval</Term>
                </th>
              )}
              <th scope="col">score is</th>
              {hasRelation && (
                <th scope="col">
                  <Term name="set of the best">compared with the best score</Term>
                </th>
              )}
              {hasShare && (
                <th scope="col" class="number">
                  <Term name="p_best">p of being the best</Term>
                </th>
              )}
              {hasCost && (
                <th scope="col" class="number">
                  <Term name="cpu_s_per_mpx">CPU seconds per million pixels</Term>
                </th>
              )}
              <th scope="col">definition</th>
              {hasGuard && <th scope="col">guard</th>}
              <th scope="col">pictures</th>
            </tr>
          </thead>
          <tbody>
            {scored.map((one) => {
              const method = methods.get(one.method);
              const definition = method ? Object.values(method.definition).filter(Boolean) : [];
              const isOpen = open === one.method;
              const isBest = one.row.indistinguishable === "yes" || number(one.row.rank) === 1;
              return (
                <>
                  <tr key={one.method} class={one.method === data.decision?.method ? "chosen" : ""}>
                    <td class="number">{count(number(one.row.rank))}</td>
                    <th scope="row">
                      {one.method}
                      {one.method === data.decision?.method && <small> the verdict</small>}
                    </th>
                    <td class="number">{short(one.value)}</td>
                    {hasInterval && <td class="number">{interval(one.low, one.high)}</td>}
                    <td>
                      <Term name={one.estimate}>{estimateInWords(one.estimate)}</Term>
                    </td>
                    {hasRelation && (
                      <td>
                        {text(one.row.relation) || (number(one.row.rank) === 1 ? "the highest" : NOTHING)}
                        {isBest && one.row.relation ? " (set of the best)" : ""}
                      </td>
                    )}
                    {hasShare && <td class="number">{short(number(one.row.p_best))}</td>}
                    {hasCost && <td class="number">{short(method?.cost?.cpu_s_per_mpx ?? null)}</td>}
                    <td>
                      <button
                        type="button"
                        class="plain"
                        aria-expanded={isOpen}
                        onClick={() => setOpen(isOpen ? "" : one.method)}
                      >
                        {definition.join("; ") || "show"}
                      </button>
                    </td>
                    {hasGuard && <td class="words">{text(one.row.guard)}</td>}
                    <td>
                      <button
                        type="button"
                        onClick={() =>
                          change({
                            tab: "explore",
                            a: data.decision?.method ?? a,
                            b: one.method === data.decision?.method ? b : one.method,
                          })
                        }
                        aria-label={`Look at ${one.method}`}
                      >
                        look
                      </button>
                    </td>
                  </tr>
                  {isOpen && (
                    <tr>
                      <td colSpan={columns}>
                        <pre>{method?.yaml}</pre>
                      </td>
                    </tr>
                  )}
                </>
              );
            })}
          </tbody>
        </table>
      </Wide>
      {hasCost && (
        <p class="note">
          Cost is of this machine, and of applying the method: what it takes to choose its parameters or
          to train it is not in it.
        </p>
      )}
    </section>
  );
}

/** Of each independent unit, how much higher one method is than another. */
function Differences() {
  const shown = useShown();
  const { data, metric, a, b, change, methods } = shown;
  const units = unitsWord(data.decision?.units);
  const isDependent = units !== "units";
  const unit = texts(data.units, "unit");
  const method = texts(data.units, "method");
  const value = numbers(data.units, metric.name);
  const of = (name: string) =>
    new Map(unit.flatMap((own, i) => (method[i] === name ? [[own, value[i] ?? null] as const] : [])));
  const names = [...methods.keys()].filter((name) => name !== a);
  const other = b || runnerUp(shown, a);
  const [first, second] = [of(a), of(other)];
  const pairs = [...first]
    .map(([name, own]) => ({ unit: name, a: own, b: second.get(name) ?? null }))
    .filter((pair) => pair.a !== null && pair.b !== null)
    .map((pair) => ({ ...pair, difference: pair.a! - pair.b! }))
    .sort((one, next) => one.difference - next.difference);
  if (names.length === 0 || pairs.length === 0) return null;
  const higher = pairs.filter((pair) => pair.difference > 0).length;
  return (
    <section aria-labelledby="differences">
      <h3 id="differences">Two methods, {units.slice(0, -1)} by {units.slice(0, -1)}</h3>
      <p>
        <MethodSelect id="difference-a" value={a} onChange={(name) => change({ a: name })} /> minus{" "}
        <MethodSelect id="difference-b" value={other} onChange={(name) => change({ b: name })} />:{" "}
        higher in {higher} of {pairs.length} <Term name="independent unit">{units}</Term>
        {isDependent && ", which are not independent"}.
      </p>
      <Figure
        name={`differences-${metric.name}`}
        description={`${metric.label} of ${a} minus that of ${other}, of ${pairs.length} ${units}: from ${short(
          pairs[0]!.difference,
        )} to ${short(pairs.at(-1)!.difference)}`}
        rows={pairs.map((pair) => ({ unit: pair.unit, [a]: pair.a, [other]: pair.b, difference: pair.difference }))}
        options={{
          width: 1240,
          height: Math.min(90 + 16 * pairs.length, 420),
          marginLeft: pairs.length <= 20 ? roomFor(pairs.map((pair) => pair.unit)) : 40,
          marginBottom: 45,
          x: { label: `${metric.label}: ${a} minus ${other}`, labelOffset: 38, grid: true },
          y: { label: null, domain: pairs.map((pair) => pair.unit), axis: pairs.length <= 20 ? "left" : null },
          marks: [
            Plot.ruleX([0]),
            Plot.ruleY(pairs, { x1: 0, x2: "difference", y: "unit", stroke: "currentColor", opacity: 0.3 }),
            Plot.dot(pairs, {
              x: "difference",
              y: "unit",
              fill: (pair: { difference: number }) => (pair.difference > 0 ? "var(--accent)" : "var(--other)"),
              tip: true,
              title: (pair: { unit: string; difference: number }) => `${pair.unit}: ${short(pair.difference)}`,
            }),
          ],
        }}
      >
        {units === "units" ? "Each dot is a unit, its annotated tiles pooled." : `Each dot is one of the ${units}.`}
      </Figure>
    </section>
  );
}

export function MethodSelect(props: {
  id: string;
  value: string;
  onChange: (name: string) => void;
  none?: string;
}) {
  const { methods } = useShown();
  return (
    <select
      id={props.id}
      aria-label={props.id.endsWith("b") ? "Second method" : "First method"}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    >
      {props.none !== undefined && <option value="">{props.none}</option>}
      {[...methods.keys()].map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Pixels that a number in a cell of a heat map takes. */
const CELL = 46;

function Ranks() {
  const { ranking, data, metric, metrics } = useShown();
  const names = [...new Set(ranking.map((row) => text(row.metric)))];
  if (names.length < 2) return null;
  const order = ranking
    .filter((row) => row.metric === data.metric)
    .sort((a, b) => (number(a.rank) ?? 0) - (number(b.rank) ?? 0))
    .map((row) => text(row.method));
  const cells = ranking.map((row) => ({
    method: text(row.method),
    metric: metrics.get(text(row.metric))?.label ?? text(row.metric),
    rank: number(row.rank),
    first: number(row.first),
  }));
  const hasShares = cells.some((cell) => cell.first !== null);
  return (
    <section aria-labelledby="ranks">
      <h3 id="ranks">Ranks by each metric</h3>
      <Figure
        name="ranks"
        description={`Rank of each method by each of ${names.length} metrics`}
        least={roomFor(order) + 60 + CELL * names.length}
        rows={cells}
        options={{
          width: 1240,
          height: 100 + (hasShares ? 36 : 26) * order.length,
          marginLeft: roomFor(order),
          marginTop: 70,
          marginRight: 60,
          x: { label: null, axis: "top", tickRotate: -30, domain: names.map((name) => metrics.get(name)?.label ?? name) },
          y: { label: null, domain: order, tickSize: 0 },
          color: { scheme: "viridis", reverse: true, domain: [1, order.length] },
          marks: [
            Plot.cell(cells, { x: "metric", y: "method", fill: "rank", inset: 1 }),
            Plot.text(cells, {
              x: "metric",
              y: "method",
              text: (cell: { rank: number; first: number | null }) =>
                cell.first === null ? `${cell.rank}` : `${cell.rank}\n${Math.round(100 * cell.first)}%`,
              fill: (cell: { rank: number }) => (cell.rank > order.length * 0.4 ? "#fff" : "#000"),
            }),
          ],
        }}
      >
        {hasShares && (
          <>
            Below each rank is the share of <Term name="bootstrap">draws</Term> of {unitsWord(data.decision?.units)} in which the method comes
            first.{" "}
          </>
        )}
        {metric.name !== data.metric && `The order is by ${labelOf(metrics, data.metric)}.`}
      </Figure>
    </section>
  );
}

function Sweep({ method }: { method: string }) {
  const { data, metric, metrics } = useShown();
  const table = data.sweeps[method]!;
  const name = table.columns.includes(metric.name) ? metric.name : data.metric;
  const list = rows(table);
  const parameters = table.columns.filter((column) => column.startsWith("p_"));
  const varied = parameters.filter((one) => new Set(list.map((row) => row[one])).size > 1);
  if (list.length < 2 || varied.length === 0) return null;
  const labels = Object.fromEntries(parameters.map((one) => [one, one.slice(2)]));
  // of further parameters, the best
  const best = (rowsOf: Row[], keys: string[]) => {
    const found = new Map<string, Row>();
    for (const row of rowsOf) {
      const key = keys.map((one) => text(row[one])).join("\n");
      const known = found.get(key);
      if (!known || (number(row[name]) ?? -Infinity) > (number(known[name]) ?? -Infinity)) found.set(key, row);
    }
    return [...found.values()];
  };
  const chosen = list.filter((row) => row.chosen === 1);
  const [first, second] = varied as [string, string?];
  const isNumeric = list.every((row) => typeof row[first] === "number");
  const label = labelOf(metrics, name);
  const points = best(list, second ? [first, second] : [first]);
  const sorted = isNumeric ? [...points].sort((a, b) => number(a[first])! - number(b[first])!) : points;
  const share = scale(points.map((row) => number(row[name])));
  const marks = second
    ? [
        Plot.cell(sorted, { x: first, y: second, fill: name, inset: 1, tip: true }),
        Plot.text(sorted, { x: first, y: second, text: (row: Row) => short(number(row[name])), fill: (row: Row) => ink(share(number(row[name]))) }),
        Plot.cell(chosen, { x: first, y: second, stroke: "var(--other)", strokeWidth: 3 }),
      ]
    : [
        ...(isNumeric ? [Plot.line(sorted, { x: first, y: name, stroke: "var(--accent)" })] : []),
        Plot.dot(sorted, { x: first, y: name, fill: "var(--accent)", tip: true }),
        Plot.dot(chosen, { x: first, y: name, r: 7, stroke: "var(--other)", strokeWidth: 2 }),
      ];
  return (
    <section aria-labelledby={`sweep-${method}`}>
      <h3 id={`sweep-${method}`}>Parameters of {method}</h3>
      <Figure
        name={`sweep-${method}`}
        description={`${label} of ${method} by ${varied.map((one) => labels[one]).join(" and ")}; chosen: ${chosen
          .map((row) => varied.map((one) => `${labels[one]} ${text(row[one])}`).join(", "))
          .join("; ")}`}
        rows={list as Record<string, string | number | null>[]}
        {...(second ? { least: 90 + CELL * new Set(sorted.map((row) => row[first])).size } : {})}
        options={{
          width: second ? 640 : 520,
          height: second ? 80 + 30 * new Set(sorted.map((row) => row[second])).size : 240,
          marginLeft: 70,
          marginBottom: 45,
          x: { label: labels[first], labelOffset: 38, ...(second ? { type: "band" as const } : {}) },
          y: { label: second ? labels[second] : label, ...(second ? { type: "band" as const } : { grid: true }) },
          color: { scheme: "viridis", label, legend: Boolean(second) },
          marks,
        }}
      >
        Ringed: what annotated tiles chose, by {labelOf(metrics, data.metric)}.
        {varied.length > 2 && " Of further parameters, the best value is shown."}{" "}
        {list[0]?.estimate === "resubstitution" && "These scores are too high: each set was tuned on these tiles."}
      </Figure>
    </section>
  );
}

/** How a method that learns gets better with the units that it is trained on. */
function TrainingCurve({ method }: { method: string }) {
  const { data, metrics } = useShown();
  const curve = rows(data.learning_curves[method]);
  const name = labelOf(metrics, text(curve[0]?.metric));
  const several = Math.max(...curve.map((row) => number(row.draws) ?? 1));
  const unit = data.decision?.units.unit;
  const [before, last] = curve.slice(-2);
  return (
    <section aria-labelledby={`curve-${method}`}>
      <h3 id={`curve-${method}`}>
        <Term name="learning curve">Learning curve</Term> of {method}
      </h3>
      <Figure
        name={`learning-curve-${method}`}
        description={`${name} of ${method} by the number of units that it is trained on: ${curve
          .map((row) => `${row.units}: ${short(number(row.mean))}`)
          .join(", ")}`}
        rows={curve as Record<string, string | number | null>[]}
        options={{
          width: 520,
          height: 260,
          marginBottom: 45,
          x: { type: "point", label: `units to train on${unit ? ` (${unit}s)` : ""}`, labelOffset: 38 },
          y: { label: name, grid: true },
          marks: [
            Plot.areaY(curve, { x: "units", y1: "lowest", y2: "highest", fill: "var(--accent)", fillOpacity: 0.2 }),
            Plot.ruleX(curve, { x: "units", y1: "lowest", y2: "highest", stroke: "var(--accent)" }),
            Plot.line(curve, { x: "units", y: "mean", stroke: "var(--accent)" }),
            Plot.dot(curve, { x: "units", y: "mean", fill: "var(--accent)", tip: true }),
          ],
        }}
      >
        The line is the mean of up to {several} draws of the units, the band from the lowest to the highest; all units
        can be drawn only once. Scores are of drawn pixels of other units, before any clean-up.{" "}
        {before && last && (
          <>
            From {number(before.units)} to {number(last.units)} units, the mean changes by{" "}
            {short(number(last.mean)! - number(before.mean)!)}: where it still rises, more annotation helps.
          </>
        )}
      </Figure>
    </section>
  );
}

function LearningCurve() {
  const { data, metrics } = useShown();
  const name = labelOf(metrics, data.metric);
  const curve = data.decision?.learning_curve ?? [];
  if (curve.length === 0) return null;
  return (
    <section aria-labelledby="curve">
      <h3 id="curve">Width of the interval with more units</h3>
      <Figure
        name="learning-curve"
        description={`Expected width of the interval of ${name}, by units: ${curve
          .map((row) => `${row.units}: ${short(row.width)}`)
          .join(", ")}`}
        rows={curve}
        options={{
          width: 520,
          height: 255,
          marginLeft: 60,
          marginBottom: 45,
          x: { label: "annotated units", labelOffset: 38 },
          y: { label: `width in ${name}`, grid: true, zero: true },
          marks: [
            Plot.line(curve, { x: "units", y: "width", stroke: "var(--accent)" }),
            Plot.dot(curve, { x: "units", y: "width", fill: "var(--accent)", tip: true }),
          ],
        }}
      >
        By {name}, the metric of the decision.
      </Figure>
    </section>
  );
}
