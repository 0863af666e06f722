// The verdict, what touches it, the quantity of interest, and what to do next.

import { type Decision, length, number, type Row, rows, text } from "./data";
import { count, estimateInWords, interval, percent, short } from "./format";
import { Term } from "./glossary";
import { useShown } from "./model";
import { Wide } from "./plots";
import { Prose } from "./prose";

export function Warnings({ list }: { list: Row[] }) {
  return (
    <ul class="warnings">
      {list.map((row, i) => (
        <li key={i} class="warning">
          <strong>
            {[row.sample, row.method, row.tile].map(text).filter(Boolean).join(", ")}
          </strong>{" "}
          <Prose text={text(row.message)} />
          {row.remedy ? (
            <span class="remedy">
              To do: <Prose text={text(row.remedy)} />
            </span>
          ) : null}
        </li>
      ))}
    </ul>
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
          <Term name={decision.metric}>{label}</Term> to expect
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
  const { data, tiles, metrics } = useShown();
  const { decision, answer } = data;
  const all = rows(data.warnings);
  const touching = all.filter((_, i) => answer.warnings.includes(i));
  const others = all.filter((_, i) => !answer.warnings.includes(i));
  const [first, ...further] = answer.sentences;
  const metric = metrics.get(data.metric)?.label ?? data.metric;
  return (
    <>
      <section class="verdict" aria-label="Verdict">
        <p class="first">{first}</p>
        {further.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
      </section>
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
                {decision.units.unit}; {count(tiles.filter((tile) => tile.annotated).length)} annotated
                tiles of {count(data.tiles_total)}
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
      {differences.length > 0 && (
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
                <th scope="col" class="number">
                  <Term name="p_adjusted">p adjusted</Term>
                </th>
                <th scope="col">note</th>
              </tr>
            </thead>
            <tbody>
              {differences.map((row, i) => (
                <tr key={i}>
                  <th scope="row">
                    {text(row.group)} less {text(row.other)}
                  </th>
                  <td class="number">{percent(number(row.difference))}</td>
                  <td class="number">{interval(number(row.low), number(row.high), percent)}</td>
                  <td class="number">{short(number(row.p_adjusted))}</td>
                  <td>{text(row.note)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      )}
    </section>
  );
}

function Fractions({ list, label }: { list: Row[]; label: string }) {
  return (
    <Wide label={label}>
      <table>
        <thead>
          <tr>
            <th scope="col">name</th>
            <th scope="col" class="number">
              <Term name="uncorrected">of the mask</Term>
            </th>
            <th scope="col" class="number">
              <Term name="corrected">corrected</Term>
            </th>
            <th scope="col" class="number">
              <Term name="interval">interval</Term>
            </th>
            <th scope="col" class="number">
              µm²
            </th>
            <th scope="col">annotated</th>
            <th scope="col">note</th>
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
              <td class="number">{interval(number(row.low), number(row.high), percent)}</td>
              <td class="number">{count(number(row.corrected_um2))}</td>
              <td>
                {count(number(row.annotated))} of {count(number(row.tiles))} tiles
              </td>
              <td>
                <Prose text={[row.assumption, row.note].map(text).filter(Boolean).join("; ")} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}
