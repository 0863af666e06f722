// The verdict, what touches it, the quantity of interest, and what to do next.

import { type Decision, length, number, type Row, rows, text } from "./data";
import { interval, percent, short } from "./digits";
import { count, estimateInWords } from "./format";
import { Term } from "./glossary";
import { isDependent, useShown } from "./model";
import { Wide } from "./plots";
import { Prose } from "./prose";
import { write } from "./state";

/** Of the worst tiles; Explore has all. */
const MOST_WORST = 5;

/** Whether a sentence has a name as a word of its own. */
function names(sentence: string, name: string): boolean {
  for (let at = sentence.indexOf(name); at >= 0; at = sentence.indexOf(name, at + 1))
    if (!/\w/.test(sentence[at - 1] ?? " ") && !/\w/.test(sentence[at + name.length] ?? " ")) return true;
  return false;
}

/** Warnings; of those that differ in the sample alone, the others fold behind the first. */
export function Warnings({ list }: { list: Row[] }) {
  const kinds = new Map<string, Row[]>();
  for (const row of list) {
    const kind = [row.code, row.remedy, row.method].map(text).join("\n");
    kinds.set(kind, [...(kinds.get(kind) ?? []), row]);
  }
  return (
    <ul class="warnings">
      {[...kinds.values()].map(([first, ...further], i) => (
        <li key={i} class="warning">
          <Warned row={first!} />
          {first!.remedy ? (
            <span class="remedy">
              To do: <Prose text={text(first!.remedy)} />
            </span>
          ) : null}
          {further.length > 0 && (
            <details>
              <summary>{further.length} more of this kind</summary>
              <ul>
                {further.map((row, j) => (
                  <li key={j}>
                    <Warned row={row} />
                  </li>
                ))}
              </ul>
            </details>
          )}
        </li>
      ))}
    </ul>
  );
}

function Warned({ row }: { row: Row }) {
  const named = [row.sample, row.method, row.tile].map(text);
  return (
    <>
      <strong>{named.filter((name) => name && !names(text(row.message), name)).join(", ")}</strong>{" "}
      <Prose text={text(row.message)} />
    </>
  );
}

/** What to expect, and the method's own score, which is higher because it was selected. */
function Score({ decision, label }: { decision: Decision; label: string }) {
  const own = (
    <>
      <Term name={decision.estimate}>{estimateInWords(decision.estimate)}</Term>
      {decision.label && (
        <>
          , <Term name={decision.label}>{decision.label}</Term>
        </>
      )}
    </>
  );
  const { expected } = decision;
  const isExpected = expected !== null && expected.value !== null;
  const [low, high] = isExpected ? [expected.low, expected.high] : [decision.low, decision.high];
  return (
    <>
      <div>
        <dt>
          <Term name={decision.metric}>{label}</Term>{!isDependent(decision.units) && " to expect"}
        </dt>
        <dd>
          {short(isExpected ? expected.value : decision.value)}
          {isExpected && <small>{expected.what}</small>}
          <small>
            {isExpected && `own score of ${decision.method}: ${short(decision.value)}, `}
            {own}
          </small>
        </dd>
      </div>
      <div>
        <dt>
          <Term name="interval">{Math.round(100 * decision.confidence)}% interval</Term>
        </dt>
        <dd>
          {interval(low, high)}
          <small>{decision.note}</small>
        </dd>
      </div>
    </>
  );
}

export function Answer() {
  const shown = useShown();
  const { data, tiles, metrics } = shown;
  const { decision, answer } = data;
  const all = rows(data.warnings);
  const touching = all.filter((_, i) => answer.warnings.includes(i));
  const others = all.filter((_, i) => !answer.warnings.includes(i));
  const annotatedTiles = `${count(tiles.filter((tile) => tile.annotated).length)} annotated tiles of ${count(
    data.tiles_total,
  )}`;
  const [first, ...further] = answer.sentences;
  const metric = metrics.get(data.metric)?.label ?? data.metric;
  return (
    <>
      {data.description && <p class="description">{data.description}</p>}
      <section class="verdict" aria-label="Verdict">
        <p class="first">{first}</p>
        {further.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
      </section>
      {shown.metric.name !== data.metric && (
        <p class="note">
          The answer is by {metric}, the metric of the decision; Compare, Explore and Check show {shown.metric.label}.
        </p>
      )}
      {decision && (
        <dl class="facts">
          <Score decision={decision} label={metric} />
          <div>
            <dt>
              <Term name="independent unit">Independent units</Term>
            </dt>
            <dd>
              {decision.units.independent}
              <small>
                {decision.units.unit}
                {isDependent(decision.units) && ", which are not independent"}; {data.tiles_total === 1 ? "one tile" : annotatedTiles}
              </small>
            </dd>
          </div>
        </dl>
      )}
      {touching.length > 0 && (
        <section aria-labelledby="touching">
          <h3 id="touching">What could mislead here</h3>
          <Warnings list={touching} />
        </section>
      )}
      <section aria-labelledby="next">
        <h3 id="next">What to do next</h3>
        <ul>
          {answer.next.map((step) => (
            <li key={step}>
              <Prose text={step} method={decision?.method} />
            </li>
          ))}
        </ul>
      </section>
      <Worst />
      <Quantities />
      {others.length > 0 && (
        <details>
          <summary>
            {others.length} further {others.length === 1 ? "warning" : "warnings"}
          </summary>
          <Warnings list={others} />
        </details>
      )}
    </>
  );
}

/** The worst tiles of the method that was decided on, with why each of them is. */
function Worst() {
  const { data, tiles, metrics, address } = useShown();
  const { decision } = data;
  const worst = decision?.worst?.slice(0, MOST_WORST) ?? [];
  if (!decision || tiles.length < 2 || worst.length === 0) return null;
  const known = new Map(tiles.map((tile) => [tile.id, tile]));
  const label = metrics.get(decision.metric)?.label ?? decision.metric;
  const isTuned = data.methods.find((one) => one.name === decision.method)?.is_tuned;
  return (
    <section aria-labelledby="worst-tiles">
      <h3 id="worst-tiles">Where {decision.method} is worst</h3>
      {isTuned && (
        <p class="note">
          These scores are <Term name="resubstitution">too high</Term>: parameters were chosen on these tiles.
        </p>
      )}
      <ol class="worst">
        {worst.map((row) => {
          const id = `${text(row.sample)}/${text(row.tile)}`;
          const tile = known.get(id);
          const picture = tile && data.thumbnails.image[tile.index];
          const place = { ...address, tab: "explore" as const, tile: id, a: decision.method };
          const name = `${text(row.sample)} ${text(row.tile)}`;
          const why = tile?.why || text(row.flags).replaceAll(";", ", ");
          return (
            <li key={id}>
              {picture && (
                <img
                  src={`data:image/webp;base64,${picture}`}
                  width="64"
                  height="64"
                  alt={`Image of ${name}`}
                  loading="lazy"
                />
              )}
              <span>
                {tile ? <a href={write(place)}>{name}</a> : name}, {label}{" "}
                <b>{short(number(row[decision.metric]))}</b>
                {why && <br />}
                {why}
              </span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

/** A column is there where any row has something in it. */
const has = (list: Row[], column: string) => list.some((row) => text(row[column]) !== "");

/** Notes that several rows share are said once, below their table. */
function notesOf(list: Row[], words: (row: Row) => string) {
  const known = [...new Set(list.map(words).filter(Boolean))];
  return {
    hasNotes: known.length > 0,
    of: (row: Row) => (words(row) ? known.indexOf(words(row)) + 1 : ""),
    list: known.length > 0 && (
      <ol class="note">
        {known.map((note) => (
          <li key={note}>
            <Prose text={note} />
          </li>
        ))}
      </ol>
    ),
  };
}

function Quantities() {
  const { data } = useShown();
  const list = rows(data.tables.quantities);
  const differences = rows(data.tables.quantities_groups);
  if (!length(data.tables.quantities)) return null;
  list.sort((a, b) => Number(a.level === "sample") - Number(b.level === "sample"));
  const groups = list.filter((row) => row.level !== "sample");
  const samples = list.filter((row) => row.level === "sample");
  return (
    <section aria-labelledby="quantities">
      <h3 id="quantities">How much is foreground</h3>
      <p>
        The share of the area within the region of interest: as the mask has it, and corrected by how
        far mask and truth are apart on annotated tiles that were drawn at random.
      </p>
      <Fractions list={samples.length <= 12 ? list : groups} label="Fractions of foreground" />
      {samples.length > 12 && (
        <details open={groups.length === 0}>
          <summary>{samples.length} samples</summary>
          <Fractions list={samples} label="Fractions of samples" />
        </details>
      )}
      {differences.length > 0 && <Differences list={differences} />}
    </section>
  );
}

function Differences({ list }: { list: Row[] }) {
  const notes = notesOf(list, (row) => text(row.note));
  const hasTest = has(list, "p_adjusted");
  return (
    <>
      <Wide label="Differences of groups">
        <table>
          <thead>
            <tr>
              <th scope="col">groups</th>
              <th scope="col" class="number">
                difference
              </th>
              <th scope="col" class="number">
                interval
              </th>
              {hasTest && (
                <th scope="col" class="number">
                  <Term name="p_adjusted">p adjusted</Term>
                </th>
              )}
              {notes.hasNotes && <th scope="col">note</th>}
            </tr>
          </thead>
          <tbody>
            {list.map((row, i) => (
              <tr key={i}>
                <th scope="row">
                  {text(row.group)} minus {text(row.other)}
                </th>
                <td class="number">{percent(number(row.difference))}</td>
                <td class="number">{interval(number(row.low), number(row.high), percent)}</td>
                {hasTest && <td class="number">{short(number(row.p_adjusted))}</td>}
                {notes.hasNotes && <td>{notes.of(row)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      {notes.list}
    </>
  );
}

function Fractions({ list, label }: { list: Row[]; label: string }) {
  const notes = notesOf(list, (row) => [row.assumption, row.note].map(text).filter(Boolean).join("; "));
  const hasInterval = has(list, "low");
  const hasArea = has(list, "corrected_um2");
  return (
    <>
      <Wide label={label}>
        <table>
          <thead>
            <tr>
              <th scope="col">name</th>
              <th scope="col" class="number">
                <Term name="uncorrected">in the mask</Term>
              </th>
              <th scope="col" class="number">
                <Term name="corrected">corrected</Term>
              </th>
              {hasInterval && (
                <th scope="col" class="number">
                  <Term name="interval">interval</Term>
                </th>
              )}
              {hasArea && (
                <th scope="col" class="number">
                  µm²
                </th>
              )}
              <th scope="col" class="number">
                annotated
              </th>
              {notes.hasNotes && <th scope="col">note</th>}
            </tr>
          </thead>
          <tbody>
            {list.map((row, i) => (
              <tr key={i}>
                <th scope="row">
                  {text(row.name)}
                  {row.level !== "sample" && <small> {text(row.level)}</small>}
                </th>
                <td class="number">{percent(number(row.uncorrected))}</td>
                <td class="number">{percent(number(row.corrected))}</td>
                {hasInterval && (
                  <td class="number">{interval(number(row.low), number(row.high), percent)}</td>
                )}
                {hasArea && <td class="number">{count(number(row.corrected_um2))}</td>}
                <td class="number">
                  {count(number(row.annotated))} of {count(number(row.tiles))} tiles
                </td>
                {notes.hasNotes && <td>{notes.of(row)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      {notes.list}
    </>
  );
}
