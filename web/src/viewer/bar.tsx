// The top of the page: which sample, which plane; and the buttons on the picture.

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { KEYS, type Known, useResolution, zoomBy } from "./keys";
import type { Sample } from "./server";

export function Bar({ known, theme, setTheme }: { known: Known; theme: string; setTheme: (theme: string) => void }) {
  return (
    <header class="bar">
      <h1>{known.contents.name}</h1>
      <Samples known={known} />
      <Planes known={known} />
      <span class="end">
        <label>
          <span class="unseen">Theme</span>
          <select id="theme" value={theme} onChange={(event) => setTheme(event.currentTarget.value)}>
            <option value="auto">as the system</option>
            <option value="light">light</option>
            <option value="dark">dark</option>
          </select>
        </label>
        <Keys />
      </span>
    </header>
  );
}

/** Options that are listed at once. */
const MOST_LISTED = 1000;

function Samples({ known: { contents, looked, openSample } }: { known: Known }) {
  const [isOpen, setOpen] = useState(false);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = contents.samples.filter(({ sample }) => words.every((word) => sample.toLowerCase().includes(word)));
  const options = found.slice(0, MOST_LISTED);

  useEffect(() => {
    if (!isOpen) return;
    const leave = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", leave);
    return () => removeEventListener("pointerdown", leave);
  }, [isOpen]);
  useEffect(() => {
    box.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at, isOpen]);

  const open = () => {
    if (isOpen) return;
    setText("");
    setAt(Math.max(contents.samples.indexOf(looked.sample), 0));
    setOpen(true);
  };
  const choose = (sample: Sample | undefined) => {
    if (!sample) return;
    setOpen(false);
    if (sample !== looked.sample) openSample(sample);
  };
  const press = (event: KeyboardEvent) => {
    const acts: Record<string, () => void> = {
      ArrowDown: () => (isOpen ? setAt(Math.min(at + 1, options.length - 1)) : open()),
      ArrowUp: () => setAt(Math.max(at - 1, 0)),
      Enter: () => (isOpen ? choose(options[at]) : open()),
      Escape: () => setOpen(false),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  return (
    <div class="samples" ref={box}>
      <label for={`${id}-input`}>Sample</label>
      <input
        id={`${id}-input`}
        class="sample"
        role="combobox"
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && options[at] ? `${id}-${at}` : undefined}
        autocomplete="off"
        spellcheck={false}
        placeholder={looked.sample.sample}
        value={isOpen ? text : looked.sample.sample}
        onFocus={open}
        onClick={open}
        onBlur={(event) => !box.current?.contains(event.relatedTarget as Node) && setOpen(false)}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      {isOpen && (
        <div class="options">
          <p class="count" role="status">
            {found.length} of {contents.samples.length}
            {found.length > options.length && `, the first ${options.length} are listed`}
          </p>
          <ul role="listbox" id={`${id}-list`} aria-label="Samples">
            {options.map((sample, index) => (
              <li
                key={sample.sample}
                id={`${id}-${index}`}
                role="option"
                aria-selected={index === at}
                onPointerDown={(event) => {
                  event.preventDefault();
                  choose(sample);
                }}
              >
                {sample.sample}{" "}
                <small>
                  {sample.width} × {sample.height}
                  {sample.planes > 1 && ` × ${sample.planes}`}
                </small>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

function Planes({ known: { looked, change, step } }: { known: Known }) {
  const { sample, plane } = looked;
  if (sample.planes < 2) return null;
  const name = sample.plane_names?.[plane];
  return (
    <div class="planes" role="group" aria-label="Plane">
      <button type="button" onClick={() => step(-1)} disabled={plane === 0} aria-label="Previous plane">
        ‹
      </button>
      <input
        type="range"
        id="plane"
        aria-label="Plane"
        aria-valuetext={`${plane} of 0 to ${sample.planes - 1}${name ? `, ${name}` : ""}`}
        min={0}
        max={sample.planes - 1}
        value={plane}
        onInput={(event) => change({ plane: event.currentTarget.valueAsNumber })}
        onWheel={(event) => {
          event.preventDefault();
          step(Math.sign(event.deltaY || event.deltaX));
        }}
      />
      <button
        type="button"
        onClick={() => step(1)}
        disabled={plane === sample.planes - 1}
        aria-label="Next plane"
      >
        ›
      </button>
      <output class="plane" for="plane">
        z {plane} <small>of 0 to {sample.planes - 1}</small>
        {name && <span class="name">{name}</span>}
      </output>
    </div>
  );
}

function Keys() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === "?" && !(event.target as HTMLElement).matches("input, select")) dialog.current?.showModal();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  return (
    <>
      <button type="button" id="keys" onClick={() => dialog.current?.showModal()}>
        Keys
      </button>
      <dialog ref={dialog} aria-label="Keys">
        <form method="dialog">
          <h2>Keys</h2>
          <dl>
            {KEYS.map(([keys, what]) => (
              <div key={what}>
                <dt>
                  {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
          <button>Close</button>
        </form>
      </dialog>
    </>
  );
}

export function Zooms({ known: { view, whole } }: { known: Known }) {
  const resolution = useResolution(view);
  const percent = 100 / resolution;
  return (
    <div class="zooms" role="group" aria-label="Zoom">
      <button type="button" onClick={() => zoomBy(view, 2)} aria-label="Zoom in">
        +
      </button>
      <output aria-label="Enlargement">
        {percent >= 10 ? Math.round(percent).toLocaleString("en") : percent.toPrecision(2)}%
      </output>
      <button type="button" onClick={() => zoomBy(view, 0.5)} aria-label="Zoom out">
        −
      </button>
      <button type="button" onClick={whole} aria-label="The whole sample">
        ⤢
      </button>
    </div>
  );
}
