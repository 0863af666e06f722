// A special word is explained where it stands: by a click, or with the keyboard.

import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useId, useRef, useState } from "preact/hooks";

export const Glossary = createContext<Record<string, string>>({});

export function Term({ name, children }: { name: string; children?: ComponentChildren }) {
  const sentence = useContext(Glossary)[name];
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const own = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const close = (event: Event) => {
      const isOutside = !own.current?.contains(event.target as Node);
      if (event instanceof KeyboardEvent ? event.key === "Escape" : isOutside) setOpen(false);
    };
    addEventListener("click", close);
    addEventListener("keydown", close);
    return () => {
      removeEventListener("click", close);
      removeEventListener("keydown", close);
    };
  }, [isOpen]);
  const word = children ?? name;
  if (!sentence) return <span>{word}</span>;
  return (
    <span class="term" ref={own}>
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setOpen(!isOpen)}
      >
        {word}
      </button>
      {isOpen && (
        <span class="explained" id={id} role="note">
          {sentence}
        </span>
      )}
    </span>
  );
}
