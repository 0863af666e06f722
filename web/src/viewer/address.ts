// The address holds what is shown, so that it can be copied to a colleague.

import { entriesOf, firstShown, layersOf, methodsOf, type Shown, tileOf } from "./layers";
import { COLOR_MAPS, type ColorMap, type Contrast } from "./look";
import type { Contents, Sample } from "./server";

/** What is looked at: the centre in px of the sample, and by how much a px is enlarged, as a power of two. */
export interface Place {
  x: number;
  y: number;
  zoom: number;
}

export interface Looked {
  sample: Sample;
  /** Counted in the sample. */
  plane: number;
  method: string;
  /** A second method, on a picture of its own; "" for none. */
  beside: string;
  shown: Shown;
  contrasts: Record<string, Contrast>;
  map: ColorMap;
  /** Values of labels that are not drawn, by layer. */
  hidden: Record<string, number[]>;
  /** Colours that were chosen for values of labels, by layer: `rrggbb`. */
  colors: Record<string, Record<number, string>>;
  hasBorders: boolean;
}

export interface Address {
  looked: Looked;
  /** `null` where it does not say: the whole sample, or a tile. */
  place: Place | null;
  /** A tile to go to, at the start. */
  tile: string;
}

/** What an address says; what is wrong in it is as if it were not there. */
export function parse(contents: Contents, hash: string): Address {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const sample =
    contents.samples.find((one) => one.sample === given.get("sample")) ?? contents.samples[0]!;
  const tile = tileOf(given.get("tile") ?? "");
  const planeOfTile = tile ? Number(tile[1]) : 0;
  const isTileInside = tile && planeOfTile < sample.planes;
  const plane = whole(given.get("plane"), sample.planes) ?? (isTileInside ? planeOfTile : 0);
  return {
    looked: { ...lookOf(contents, sample, given), sample, plane },
    place: placeOf(given, sample),
    tile: isTileInside ? tile[0] : "",
  };
}

/** What can be said of a sample besides the plane. */
function lookOf(contents: Contents, sample: Sample, given: URLSearchParams): Omit<Looked, "sample" | "plane"> {
  const layers = layersOf(contents, sample);
  const entries = entriesOf(layers);
  const methods = methodsOf(layers);
  const one = (key: string) => methods.find((name) => name === given.get(key));
  const method = one("method") ?? methods.find((name) => name === contents.decided) ?? methods[0] ?? "";
  const beside = one("beside") ?? "";
  const keys = new Set(entries.map(({ key }) => key));
  const shown: Shown = {};
  for (const [key, text] of pairs(given, "layer", keys)) {
    const opacity = Number(text);
    if (text && opacity >= 0 && opacity <= 1) shown[key] = opacity;
  }
  const contrasts: Record<string, Contrast> = {};
  for (const [key, text] of pairs(given, "window", keys)) {
    const [low, high, ...more] = text.split(",").map((value) => (value ? Number(value) : NaN));
    if (!more.length && Number.isFinite(low) && Number.isFinite(high) && low! < high!) contrasts[key] = [low!, high!];
  }
  const hidden: Record<string, number[]> = {};
  for (const [key, text] of pairs(given, "hide", keys)) {
    hidden[key] = text.split(",").map(Number).filter(Number.isInteger);
  }
  const colors: Looked["colors"] = {};
  for (const [key, text] of pairs(given, "color", keys)) {
    const match = /^(\d+),([0-9a-f]{6})$/.exec(text);
    if (match) colors[key] = { ...colors[key], [match[1]!]: match[2]! };
  }
  return {
    method,
    beside: beside === method ? "" : beside,
    shown: given.has("layer") ? shown : firstShown(entries, method),
    contrasts,
    map: COLOR_MAPS.find((map) => map === given.get("map")) ?? "grey",
    hidden,
    colors,
    hasBorders: given.get("borders") !== "0",
  };
}

/** Values of a key that stands several times, as `layer=confusion:0.6`, of the layers that there are. */
function pairs(given: URLSearchParams, name: string, keys: Set<string>): [string, string][] {
  return given
    .getAll(name)
    .map((text): [string, string] => {
      const colon = text.lastIndexOf(":");
      return [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
    })
    .filter(([key]) => keys.has(key));
}

function whole(text: string | null, count: number): number | null {
  return text !== null && /^\d+$/.test(text) && Number(text) < count ? Number(text) : null;
}

/** A power of two either way: further on, there is nothing to see. */
export const ZOOMS = { least: -12, most: 6 };

function placeOf(given: URLSearchParams, sample: Sample): Place | null {
  const [x, y, zoom] = ["x", "y", "zoom"].map((key) => parseFloat(given.get(key) ?? "")) as [number, number, number];
  const isInside = x >= 0 && y >= 0 && x <= sample.width && y <= sample.height;
  return isInside && zoom >= ZOOMS.least && zoom <= ZOOMS.most ? { x, y, zoom } : null;
}

export function write(looked: Looked, place: Place | null): string {
  const said = new URLSearchParams({ sample: looked.sample.sample, plane: String(looked.plane) });
  if (place) {
    said.set("x", place.x.toFixed(1));
    said.set("y", place.y.toFixed(1));
    said.set("zoom", String(Number(place.zoom.toFixed(3))));
  }
  if (looked.method) said.set("method", looked.method);
  if (looked.beside) said.set("beside", looked.beside);
  for (const [key, opacity] of Object.entries(looked.shown)) said.append("layer", `${key}:${opacity}`);
  // without one, the address would mean the layers that are shown first
  if (!Object.keys(looked.shown).length) said.append("layer", "");
  for (const [key, contrast] of Object.entries(looked.contrasts)) said.append("window", `${key}:${contrast.join()}`);
  for (const [key, values] of Object.entries(looked.hidden)) {
    if (values.length) said.append("hide", `${key}:${values.join()}`);
  }
  for (const [key, values] of Object.entries(looked.colors)) {
    for (const [value, color] of Object.entries(values)) said.append("color", `${key}:${value},${color}`);
  }
  if (looked.map !== "grey") said.set("map", looked.map);
  if (!looked.hasBorders) said.set("borders", "0");
  return `#${said.toString()}`;
}
