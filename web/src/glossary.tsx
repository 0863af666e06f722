// A special word is explained where it stands: under the pointer, with the keyboard, by a click.

import { createContext, type ComponentChildren } from "preact";
import { useContext, useId, useLayoutEffect, useRef, useState } from "preact/hooks";

export const Glossary = createContext<Record<string, string>>({});

/** Pixels between an explanation and the edge of the window. */
const EDGE = 8;

export function Term({ name, children }: { name: string; children?: ComponentChildren }) {
  const sentence = useContext(Glossary)[name];
  // near: under the pointer, or with the focus; kept: after a click, until another elsewhere
  const [isNear, setNear] = useState(false);
  const [isKept, setKept] = useState(false);
  const isOpen = isNear || isKept;
  const id = useId();
  const own = useRef<HTMLSpanElement>(null);
  const note = useRef<HTMLSpanElement>(null);
  // before the page is drawn, so that a key that follows at once is not lost
  useLayoutEffect(() => {
    if (!isOpen) return;
    const hide = () => {
      setNear(false);
      setKept(false);
    };
    const click = (event: Event) => !own.current?.contains(event.target as Node) && hide();
    const press = (event: KeyboardEvent) => event.key === "Escape" && hide();
    addEventListener("click", click);
    addEventListener("keydown", press);
    addEventListener("scroll", place, true);
    return () => {
      removeEventListener("click", click);
      removeEventListener("keydown", press);
      removeEventListener("scroll", place, true);
    };
  }, [isOpen]);
  // in the window, and not cut by a table that scrolls
  const place = () => {
    if (!note.current || !own.current) return;
    const word = own.current.getBoundingClientRect();
    const { width, height } = note.current.getBoundingClientRect();
    const isAbove = word.bottom + height > innerHeight && word.top > height;
    note.current.style.left = `${Math.max(EDGE, Math.min(word.left, innerWidth - width - EDGE))}px`;
    note.current.style.top = `${isAbove ? word.top - height : word.bottom}px`;
  };
  useLayoutEffect(place, [isOpen]);
  const word = children ?? name;
  if (!sentence) return <span>{word}</span>;
  return (
    <span class="term" ref={own} onMouseEnter={() => setNear(true)} onMouseLeave={() => setNear(false)}>
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onFocus={() => setNear(true)}
        onBlur={() => setNear(false)}
        onClick={() => setKept(!isKept)}
      >
        {word}
      </button>
      {isOpen && (
        <span class="explained" id={id} role="note" ref={note}>
          {sentence}
        </span>
      )}
    </span>
  );
}
