// How this came to be: methods text, references, provenance, and the record of the run.

import { useState } from "preact/hooks";
import { loadRun, rows, type Run } from "./data";
import { Plain } from "./check";
import { Copy } from "./copy";
import { useShown } from "./model";
import { save } from "./plots";

/** Paragraphs of the methods text; those that the Markdown has as headings are headings. */
function paragraphs(plain: string, markdown: string): { words: string; isHeading: boolean }[] {
  const headings = new Set(["References", ...[...markdown.matchAll(/^## (.+)$/gm)].map((match) => match[1]!.trim())]);
  return plain
    .split(/\n\s*\n/)
    .map((words) => words.trim())
    .filter(Boolean)
    .map((words) => ({ words, isHeading: headings.has(words) }));
}

export function Reproduce() {
  const { data } = useShown();
  return (
    <>
      <section aria-labelledby="text">
        <h3 id="text">Methods text for a paper</h3>
        <div class="prose">
          {paragraphs(data.methods_text, data.methods_markdown).map(({ words, isHeading }, i) =>
            isHeading ? <h4 key={i}>{words}</h4> : <p key={i}>{words}</p>,
          )}
        </div>
        <Copy text={data.methods_text} label="Copy the text" />{" "}
        {data.methods_markdown && <Copy text={data.methods_markdown} label="Copy for Pandoc" />}
      </section>
      {data.bibtex && (
        <section aria-labelledby="bibtex">
          <h3 id="bibtex">References as BibTeX</h3>
          <Copy text={data.bibtex} label="Copy BibTeX" />
          <button type="button" onClick={() => save("tilewise.bib", "text/plain", data.bibtex)}>
            Save as a file
          </button>
          <pre tabIndex={0}>{data.bibtex}</pre>
        </section>
      )}
      <section aria-labelledby="provenance">
        <h3 id="provenance">Provenance</h3>
        <p>
          What went in: checksums of the configuration, the code and the inputs, and the versions that ran. The
          same in every run of the same work.
        </p>
        <pre tabIndex={0}>{JSON.stringify(data.provenance, null, 1)}</pre>
      </section>
      <RunRecord />
    </>
  );
}

function RunRecord() {
  const [run, setRun] = useState<Run | null>(null);
  const [problem, setProblem] = useState("");
  const load = () =>
    loadRun()
      .then(setRun)
      .catch((error: Error) => setProblem(error.message));
  return (
    <section aria-labelledby="run">
      <h3 id="run">The last run</h3>
      <p>
        The command, the commit, and the time and memory of each rule are in <code>run.js</code>. It is written
        into the folder of results when a run ends, and a copy of this page alone does not have it.
      </p>
      {!run && (
        <button type="button" onClick={load}>
          Load the record of the run
        </button>
      )}
      {problem && <p class="note">{problem}</p>}
      {run && (
        <>
          <dl class="record">
            <dt>command</dt>
            <dd>
              <code>{run.command}</code>
            </dd>
            <dt>from, to</dt>
            <dd>
              {run.started} to {run.finished}
            </dd>
            <dt>commit</dt>
            <dd>{run.commit || "not in a repository"}</dd>
            <dt>ended</dt>
            <dd>{run.ok ? "well" : "with an error"}</dd>
          </dl>
          <Plain label="Time and memory of each rule" list={rows(run.rules)} />
        </>
      )}
    </section>
  );
}
