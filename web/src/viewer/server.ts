// What the server has: its answers, and what to say where there is none.

export type Role =
  | "image"
  | "color"
  | "truth"
  | "roi"
  | "annotator"
  | "mask"
  | "confusion"
  | "errors"
  | "probability"
  | "filtered";

export interface LabelColor {
  value: number;
  /** Red, green, blue and opacity, 0 to 255. */
  rgba: [number, number, number, number];
  label: string;
}

export interface Layer {
  id: string;
  title: string;
  role: Role;
  method: string | null;
  /** Of the group, below `/results/`. */
  path: string;
  /** Of the array of each level, likewise: 0 is full resolution, each other half as high and wide. */
  arrays: string[];
  dtype: string;
  levels: number;
  /** Contrast of an image. */
  window: [number, number] | null;
  /** Of labels. */
  colors: LabelColor[] | null;
  /** Value where nothing is stored. */
  fill: number;
}

/** A view of a stack: some of its planes, up to a height and a width. */
export interface Sample {
  sample: string;
  stack: string;
  first_plane: number;
  planes: number;
  height: number;
  width: number;
  /** Height and width of a tile. */
  tile: [number, number];
  plane_names: string[] | null;
}

export interface Contents {
  name: string;
  /** The method that was decided on. */
  decided?: string | null;
  samples: Sample[];
  stacks: Record<string, { layers: Layer[] }>;
}

/** What is known of a tile; its place is in px of the sample. */
export interface Tile {
  tile: string;
  y: number;
  x: number;
  height: number;
  width: number;
  flags: string[];
  trust: number | null;
  scores: Record<string, Record<string, number | null>>;
  /** Several of a method with several classes; `null` where there is none. */
  thresholds: Record<string, number | number[] | null>;
}

/** A sentence for the person who looks. */
export class Trouble extends Error {}

const GONE =
  "The viewer's server does not answer. Start it again with python scripts/view.py, and open the address that it prints.";
const UNKNOWN =
  "The viewer's server does not know this browser. Open the address that python scripts/view.py printed, with its token.";

const NOT_FOUND = 404;
const BEYOND_END = 416;

/** A request of the server, or `null` for a file that it does not have; a range beyond its end is left to others. */
export async function ask(path: string, init: RequestInit = {}): Promise<Response | null> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Trouble(GONE);
  }
  if (response.status === NOT_FOUND) return null;
  if (response.status === BEYOND_END) return response;
  if (response.status === 403) throw new Trouble(UNKNOWN);
  if (!response.ok) throw new Trouble(await sentence(response));
  return response;
}

async function sentence(response: Response): Promise<string> {
  const text = (await response.text()).trim();
  const isPlain = response.headers.get("Content-Type")?.startsWith("text/plain");
  return isPlain && text ? text : `The viewer's server answered with an error (${response.status}).`;
}

async function json<T>(path: string): Promise<T> {
  const response = await ask(path);
  if (!response) throw new Trouble(`The viewer's server has no ${path.split("?")[0]}.`);
  return (await response.json()) as T;
}

export const contents = () => json<Contents>("contents.json");

/** Answers of planes that are kept. */
const KEPT = 64;
const planes = new Map<string, Promise<Tile[]>>();

/** The tiles of a plane, which is counted in the sample. */
export function tilesOf(sample: string, plane: number): Promise<Tile[]> {
  const query = new URLSearchParams({ sample, plane: String(plane) });
  const key = query.toString();
  let tiles = planes.get(key);
  if (!tiles) {
    tiles = json<{ tiles: Tile[] }>(`plane.json?${key}`).then((answer) => answer.tiles);
    tiles.catch(() => planes.delete(key));
  }
  planes.delete(key);
  planes.set(key, tiles);
  if (planes.size > KEPT) planes.delete(planes.keys().next().value!);
  return tiles;
}
