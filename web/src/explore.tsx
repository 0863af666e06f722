// All tiles, as a gallery or as maps, coloured and sorted by what the reader asks for.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { MethodSelect } from "./compare";
import { coloring, type Coloring, diverging, furthest, maskColor, palette as paletteOf, scale, sequential, type Shade, type Class, CLASSES, versusColors } from "./colors";
import { type BinnedMap, numbers, type Tile, type Value } from "./data";
import { short } from "./digits";
import { count } from "./format";
import { Term } from "./glossary";
import { FEATURES, runnerUp, scoresOfTiles, useShown } from "./model";
import { decode, draw, meanColor } from "./pictures";
import { TileView } from "./tile";

const DIVERGING = `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map(diverging).join(", ")})`;
/** Cards that are made at first, and each time that the reader comes near the last of them. */
const PAGE = 60;
/** Milliseconds until overlays of cards that come into view are drawn. */
const SOON = 40;

/** A value of each tile by what was asked for, and how it is called. */
function useValues(): { by: string; label: string; values: Value[]; isScore: boolean } {
  const { data, address, metric, a, b, metrics } = useShown();
  return useMemo(() => {
    if (address.by === "difference" && b) {
      const [one, other] = [scoresOfTiles(data, a, metric.name), scoresOfTiles(data, b, metric.name)];
      const values = one.map((value, i) =>
        value === null || other[i] === null || other[i] === undefined ? null : value - other[i]!,
      );
      return { by: "difference", label: `${metric.label}: ${a} minus ${b}`, values, isScore: false };
    }
    if (address.by === "disagreement")
      return { by: "disagreement", label: "disagreement of methods", values: data.disagreement, isScore: false };
    if (FEATURES.includes(address.by) && data.tiles.columns.includes(address.by))
      return { by: address.by, label: address.by, values: numbers(data.tiles, address.by), isScore: false };
    const known = metrics.get(metric.name)!;
    return { by: "metric", label: `${known.label} of ${a}`, values: scoresOfTiles(data, a, metric.name), isScore: true };
  }, [data, address.by, metric.name, a, b]);
}

function useOrder(values: Value[]): Tile[] {
  const { tiles, address, metric } = useShown();
  const { order, by } = address;
  return useMemo(() => {
    if (order === "place") return tiles;
    const isLowGood = (by === "" || by === "metric") && !metric.higher_is_better;
    const sign = (order === "best" ? -1 : 1) * (isLowGood ? -1 : 1);
    return [...tiles].sort((one, other) => {
      const [a, b] = [values[one.index], values[other.index]];
      if (a === null || a === undefined) return b === null || b === undefined ? one.index - other.index : 1;
      if (b === null || b === undefined) return -1;
      if (by === "difference" && order !== "best" && order !== "worst") return Math.abs(b) - Math.abs(a);
      return sign * (a - b) || one.index - other.index;
    });
  }, [tiles, values, order, by, metric]);
}

export function Explore() {
  const shown = useShown();
  const { data, address, change, tiles, a, b, metric } = shown;
  const { by, label, values, isScore } = useValues();
  const ordered = useOrder(values);
  const isDifference = by === "difference";
  const color = useMemo(
    () => coloring(values, isScore ? metric : undefined, isDifference),
    [values, metric, isDifference],
  );
  const other = b || runnerUp(shown, a);
  const isOne = tiles.length === 1;
  const open = tiles.find((tile) => tile.id === address.tile);
  const isMap = !isOne && (address.view || defaultView(shown.data)) === "map";
  const flags = useMemo(() => [...new Set(tiles.flatMap((tile) => tile.flags))].sort(), [tiles]);
  const [flag, setFlag] = useState("");
  const [limit, setLimit] = useState(PAGE);
  const kept = ordered.filter((tile) => !flag || tile.flags.includes(flag) || (flag === "annotated" && tile.annotated));
  const step = (tile: Tile | undefined) => tile && change({ tile: tile.id });
  const neighbour = (shift: number) => {
    if (!open) return step(kept[0]);
    const place = kept.findIndex((tile) => tile.index === open.index);
    return step(kept[(place + shift + kept.length) % kept.length]);
  };
  const scored = (end: "worst" | "best") => {
    const own = scoresOfTiles(data, a, metric.name);
    const list = tiles.filter((tile) => own[tile.index] !== null && own[tile.index] !== undefined);
    const sign = (end === "worst" ? 1 : -1) * (metric.higher_is_better ? 1 : -1);
    list.sort((one, other) => sign * (own[one.index]! - own[other.index]!));
    change({ tile: list[0]?.id ?? "", by: "", order: end });
  };
  const differ = () => {
    const [one, two] = [scoresOfTiles(data, a, metric.name), scoresOfTiles(data, other, metric.name)];
    const gap = (tile: Tile) => {
      const [first, second] = [one[tile.index], two[tile.index]];
      return first === null || second === null || first === undefined || second === undefined
        ? -1
        : Math.abs(first - second);
    };
    const [most] = [...tiles].sort((x, y) => gap(y) - gap(x));
    change({ tile: most?.id ?? "", b: other, by: "difference", order: "" });
  };
  if (tiles.length === 0) return <p>There are no tiles to show.</p>;
  return (
    <>
      <div class="controls">
        {!isOne && (
          <span>
            <button type="button" id="worst" onClick={() => scored("worst")}>
              Worst of {a}
            </button>
            <button type="button" id="best" onClick={() => scored("best")}>
              Best of {a}
            </button>
            {other && (
              <button type="button" id="differ" onClick={differ}>
                Where {a} and {other} differ most
              </button>
            )}
          </span>
        )}
        <span>
          <MethodSelect id="method-a" value={a} onChange={(name) => change({ a: name })} />
          {" beside "}
          <MethodSelect
            id="method-b"
            value={b}
            none="no other"
            onChange={(name) => change({ b: name, ...(name ? {} : { by: "" }) })}
          />
        </span>
      </div>
      {open && <TileView tile={open} isOne={isOne} previous={() => neighbour(-1)} next={() => neighbour(1)} />}
      <div class="controls">
        <label>
          Colour by{" "}
          <select value={by} onChange={(event) => change({ by: event.currentTarget.value })}>
            <option value="metric">
              {metric.label} of {a}
            </option>
            {b && (
              <option value="difference">
                {a} minus {b}
              </option>
            )}
            <option value="disagreement">disagreement of methods</option>
            {FEATURES.filter((name) => data.tiles.columns.includes(name)).map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {!isOne && (
          <>
            <label>
              Sort{" "}
              <select
                id="order"
                value={address.order || (isDifference ? "" : "worst")}
                onChange={(event) => change({ order: event.currentTarget.value })}
              >
                {isDifference && <option value="">largest difference first</option>}
                <option value="worst">lowest first</option>
                <option value="best">highest first</option>
                <option value="place">by place</option>
              </select>
            </label>
            <label>
              Show{" "}
              <select value={flag} onChange={(event) => setFlag(event.currentTarget.value)}>
                <option value="">all tiles</option>
                <option value="annotated">annotated tiles</option>
                {flags.map((name) => (
                  <option key={name} value={name}>
                    flag: {name}
                  </option>
                ))}
              </select>
            </label>
            <label>
              Arrange as{" "}
              <select
                value={isMap ? "map" : "gallery"}
                onChange={(event) => change({ view: event.currentTarget.value })}
              >
                <option value="gallery">gallery</option>
                <option value="map">maps of samples</option>
              </select>
            </label>
          </>
        )}
        <Legend
          label={label}
          values={values}
          isReversed={isScore && !metric.higher_is_better}
          isDifference={isDifference}
        />
      </div>
      <p class="note">
        {data.tiles_total > tiles.length
          ? `${count(tiles.length)} of ${count(data.tiles_total)} tiles: the extremes. `
          : !isOne && `${count(kept.length)} of ${count(tiles.length)} tiles. `}
        {isScore && (
          <>
            Scores of tiles are by the method as it stands:{" "}
            <Term name={shown.methods.get(a)?.is_tuned ? "resubstitution" : (shown.methods.get(a)?.estimate ?? "")}>
              {shown.methods.get(a)?.is_tuned ? "tuned on these tiles" : shown.methods.get(a)?.estimate}
            </Term>
            . A tile without a score is not annotated.
          </>
        )}
      </p>
      {isMap ? (
        <Maps values={values} color={color} kept={kept} label={label} />
      ) : (
        <>
          <ul class="gallery" aria-label="Tiles">
            {kept.slice(0, limit).map((tile) => (
              <li key={tile.id}>
                <Card tile={tile} value={values[tile.index] ?? null} shade={color(values[tile.index] ?? null)} label={label} />
              </li>
            ))}
          </ul>
          {kept.length > limit && <More all={kept.length} more={() => setLimit(limit + PAGE)} />}
        </>
      )}
    </>
  );
}

/** The button that shows more; to come near it is enough. */
function More({ all, more }: { all: number; more: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => entries.some((one) => one.isIntersecting) && more(), {
      rootMargin: "600px",
    });
    observer.observe(button.current!);
    return () => observer.disconnect();
  });
  return (
    <button type="button" id="more" ref={button} onClick={more}>
      Show more of {count(all)}
    </button>
  );
}

/** Maps where samples have many tiles, else a gallery. */
function defaultView(data: { samples: unknown[]; tiles_total: number }): "map" | "gallery" {
  return data.tiles_total > 30 * data.samples.length ? "map" : "gallery";
}

function Legend(props: { label: string; values: Value[]; isReversed: boolean; isDifference: boolean }) {
  const { label, values, isReversed, isDifference } = props;
  const known = values.filter((value): value is number => value !== null);
  if (!known.length) return null;
  const least = known.reduce((a, b) => Math.min(a, b));
  const greatest = known.reduce((a, b) => Math.max(a, b));
  if (least === greatest)
    return (
      <span class="legend">
        {label} {short(least)}
      </span>
    );
  if (isDifference) {
    const most = furthest(values);
    return (
      <span class="legend">
        <span>{label}</span> <span>{short(-most)}</span>
        <span class="ramp diverging" aria-hidden="true" style={{ background: DIVERGING }}>
          <span>0</span>
        </span>
        <span>{short(most)}</span>
      </span>
    );
  }
  const [first, last] = isReversed ? [greatest, least] : [least, greatest];
  return (
    <span class="legend">
      <span>{label}</span> <span>{short(first)}</span>
      <span class="ramp" aria-hidden="true" />
      <span>{short(last)}</span>
    </span>
  );
}

function Card({ tile, value, shade, label }: { tile: Tile; value: Value; shade: Shade | undefined; label: string }) {
  const { data, change, a, b, address, palette } = useShown();
  const uri = data.thumbnails.image[tile.index];
  const codes = data.thumbnails.confusion[a]?.[tile.index];
  const canvas = useRef<HTMLCanvasElement>(null);
  const isOpen = address.tile === tile.id;
  const wanted = codes && uri;
  useEffect(() => {
    const target = canvas.current;
    if (!target || !wanted) return;
    let isGone = false;
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const show = () =>
      void Promise.all([
        decode({ type: "image/webp", data: uri }),
        decode({ type: "image/webp", data: codes }),
      ]).then(([ground, labels]) => {
        if (isGone) return;
        const shown = Object.fromEntries(CLASSES.map((name) => [name, name !== "tn"])) as Record<Class, boolean>;
        const mean = meanColor(ground);
        draw(target, "overlay", ground, labels, {
          colors: paletteOf(data, palette, mean),
          mask: tile.annotated ? null : maskColor(mean),
          shown,
          versus: versusColors(mean),
          alpha: 0.6,
        });
      });
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      // numbers and their colours are seen first
      waiting = setTimeout(show, SOON);
    });
    observer.observe(target);
    return () => {
      isGone = true;
      clearTimeout(waiting);
      observer.disconnect();
    };
  }, [uri, codes, palette]);
  const words = `${tile.sample} ${tile.name}, ${label} ${short(value)}`;
  return (
    <button
      type="button"
      class="tile card"
      data-tile={tile.id}
      aria-label={`Open ${words}`}
      aria-pressed={isOpen}
      onClick={() => change({ tile: tile.id, a, b })}
    >
      {uri ? (
        <span class="thumbs">
          <img src={`data:image/webp;base64,${uri}`} width="64" height="64" alt={`Image of ${tile.sample} ${tile.name}`} loading="lazy" />
          {wanted && <canvas ref={canvas} width="64" height="64" role="img" aria-label={`${tile.annotated ? "Overlay" : "Mask"} of ${a} on ${words}`} />}
        </span>
      ) : (
        <span class="thumbs none">no picture</span>
      )}
      <span class="name">
        {tile.sample} <small>{tile.name}</small>
      </span>
      <span class="score" style={shade && { ...shade }}>
        {value === null ? (tile.annotated ? "–" : "not annotated") : short(value)}
      </span>
      {tile.flags.length > 0 && <small class="flags">{tile.flags.join(", ")}</small>}
    </button>
  );
}

function Maps(props: { values: Value[]; color: Coloring; kept: Tile[]; label: string }) {
  const { data, tiles } = useShown();
  const kept = new Set(props.kept.map((tile) => tile.index));
  return (
    <div class="maps">
      {data.samples.map((sample) => {
        const binned = data.maps[sample.name];
        if (binned) return <Binned key={sample.name} name={sample.name} map={binned} />;
        const own = tiles.filter((tile) => tile.sample === sample.name);
        const planes = [...new Set(own.map((tile) => tile.z))].sort((a, b) => a - b);
        return planes.map((z) => (
          <section key={`${sample.name} ${z}`}>
            <h4>
              {sample.name}
              {sample.planes > 1 && `, plane ${z}`}
            </h4>
            <div
              class="map"
              style={{ aspectRatio: `${sample.width} / ${sample.height}` }}
            >
              {own
                .filter((tile) => tile.z === z)
                .map((tile) => (
                  <MapTile key={tile.id} tile={tile} sides={[sample.height, sample.width]} isKept={kept.has(tile.index)} {...props} />
                ))}
            </div>
          </section>
        ));
      })}
    </div>
  );
}

function MapTile(props: {
  tile: Tile;
  sides: [number, number];
  isKept: boolean;
  values: Value[];
  color: Coloring;
  label: string;
}) {
  const { address, change, a, b } = useShown();
  const { tile, values, color, sides } = props;
  const value = values[tile.index] ?? null;
  const share = (length: number, side: number) => `${(100 * length) / side}%`;
  const words = `${tile.sample} ${tile.name}, ${props.label} ${short(value)}`;
  return (
    <button
      type="button"
      class={`tile cell${value === null ? " without" : ""}`}
      data-tile={tile.id}
      title={words}
      aria-label={`Open ${words}`}
      aria-pressed={address.tile === tile.id}
      onClick={() => change({ tile: tile.id, a, b })}
      style={{
        left: share(tile.x, sides[1]),
        top: share(tile.y, sides[0]),
        width: share(tile.width, sides[1]),
        height: share(tile.height, sides[0]),
        opacity: props.isKept ? 1 : 0.15,
        background: color(value)?.background,
      }}
    />
  );
}

/** Of a sample with more tiles than are listed: each cell is the mean of many. */
function Binned({ name, map }: { name: string; map: BinnedMap }) {
  const { metric, a, address } = useShown();
  const canvas = useRef<HTMLCanvasElement>(null);
  const feature = map.values.tiles?.[address.by];
  const values = feature ?? map.values[a]?.[metric.name];
  useEffect(() => {
    const target = canvas.current;
    if (!target || !values) return;
    const color = scale(values, feature ? undefined : metric);
    [target.width, target.height] = [map.columns, map.rows];
    const context = target.getContext("2d")!;
    values.forEach((value, i) => {
      if (value === null) return;
      context.fillStyle = sequential(color(value));
      context.fillRect(i % map.columns, Math.floor(i / map.columns), 1, 1);
    });
  });
  const label = feature ? address.by : `${metric.label} of ${a}`;
  return (
    <section>
      <h4>
        {name}, {map.planes} planes in one map
      </h4>
      {values ? (
        <canvas class="binned" ref={canvas} role="img" aria-label={`Map of ${label} in ${name}: means of the tiles of each cell`} />
      ) : (
        <p>There is no map of {label}.</p>
      )}
    </section>
  );
}
