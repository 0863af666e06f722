// Sentences of the data: what stands in backticks is code, and names of tiles are links to them.

import { type ComponentChildren, Fragment } from "preact";
import { useMemo } from "preact/hooks";
import { useShown } from "./model";
import { write } from "./state";

export function Prose({ text, method = "" }: { text: string; method?: string }) {
  const { tiles, address } = useShown();
  const known = useMemo(() => new Set(tiles.map((tile) => tile.id)), [tiles]);
  // the longest first: a name may end with another
  const samples = useMemo(
    () => [...new Set(tiles.map((tile) => tile.sample))].sort((a, b) => b.length - a.length),
    [tiles],
  );
  const pieces = text.split(/(`[^`]+`)/);
  return (
    <>
      {pieces.map((piece, i) =>
        i % 2 ? <code key={i}>{piece.slice(1, -1)}</code> : <Fragment key={i}>{linked(piece)}</Fragment>,
      )}
    </>
  );

  function linked(sentence: string) {
    const parts: ComponentChildren[] = [];
    let from = 0;
    for (const match of sentence.matchAll(/ (z\d+_y\d+_x\d+)/g)) {
      const before = sentence.slice(from, match.index);
      const sample = samples.find((name) => before.endsWith(name));
      const id = sample && `${sample}/${match[1]}`;
      if (!id || !known.has(id)) continue;
      const place = { ...address, tab: "explore" as const, tile: id, a: method || address.a };
      parts.push(
        before.slice(0, before.length - sample.length),
        <a key={from} href={write(place)}>
          {sample} {match[1]}
        </a>,
      );
      from = match.index + match[0].length;
    }
    return [...parts, sentence.slice(from)];
  }
}
