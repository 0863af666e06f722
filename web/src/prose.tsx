// Sentences of the data: what stands in backticks is code, and names of tiles are links to them.

import { Fragment } from "preact";
import { useMemo } from "preact/hooks";
import { useShown } from "./model";
import { write } from "./state";

export function Prose({ text, method = "" }: { text: string; method?: string }) {
  const { tiles, address } = useShown();
  const known = useMemo(() => new Map(tiles.map((tile) => [`${tile.sample} ${tile.name}`, tile.id])), [tiles]);
  const pieces = text.split(/(`[^`]+`)/);
  return (
    <>
      {pieces.map((piece, i) =>
        i % 2 ? <code key={i}>{piece.slice(1, -1)}</code> : <Fragment key={i}>{linked(piece)}</Fragment>,
      )}
    </>
  );

  function linked(sentence: string) {
    // names end with the place of a tile, z0001_y00_x00
    return sentence.split(/(?<=[:,;] |^)(.+? z\d+_y\d+_x\d+)/).map((part, i) => {
      const id = i % 2 ? known.get(part) : undefined;
      if (!id) return part;
      const place = { ...address, tab: "explore" as const, tile: id, a: method || address.a };
      return (
        <a key={i} href={write(place)}>
          {part}
        </a>
      );
    });
  }
}
