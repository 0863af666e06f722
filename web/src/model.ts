// What views share: the data, and what is worked out of them once.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Data, Decision, Method, Metric, Row, Tile, Value } from "./data";
import { number, rows, text, tilesOf } from "./data";
import type { Address } from "./state";

export interface Model {
  data: Data;
  tiles: Tile[];
  ranking: Row[];
  scores: Row[];
  methods: Map<string, Method>;
  metrics: Map<string, Metric>;
}

export function model(data: Data): Model {
  return {
    data,
    tiles: tilesOf(data),
    ranking: rows(data.tables.ranking),
    scores: rows(data.tables.scores),
    methods: new Map(data.methods.map((method) => [method.name, method])),
    metrics: new Map(data.metrics.map((metric) => [metric.name, metric])),
  };
}

export interface Shown extends Model {
  address: Address;
  change: (part: Partial<Address>) => void;
  /** The metric that is shown, which may be another than the verdict's. */
  metric: Metric;
  a: string;
  b: string;
  palette: string;
}

export const Shown = createContext<Shown | null>(null);

export function useShown(): Shown {
  const shown = useContext(Shown);
  if (!shown) throw new Error("no data");
  return shown;
}

/** What is measured on a tile without truth, and can colour and sort tiles. */
export const FEATURES = [
  ...["trust", "agreement", "distance", "drift_z", "contrast", "focus", "saturated", "foreground", "stripes"],
];

/** A metric of a method on every tile. */
export function scoresOfTiles(data: Data, method: string, metric: string): Value[] {
  return data.tile_scores.methods[method]?.[metric] ?? data.tiles.columns.map(() => null);
}

/** What differences are of, where units are parts of what counts as one; as scripts/tilewise/unit_words.py has them. */
const DEPENDENT: Record<string, string> = {
  "spatial blocks of one tile": "blocks",
  "parts of one unit": "parts",
  "near tiles of one plane": "tiles",
};

type Units = Decision["units"];

/** Whether units are parts of what counts as one. */
export const isDependent = (units: Units): boolean => units.unit in DEPENDENT;

/** Units in one word: of those that are not independent, what they are. */
export const unitsWord = (units: Units | undefined): string => DEPENDENT[units?.unit ?? ""] ?? "units";

/** Methods in the order of their ranks by a metric; those without a rank are last. */
export function ranked({ ranking, data }: Model, metric: string): Row[] {
  const own = ranking.filter((row) => row.metric === metric);
  own.sort((a, b) => (number(a.rank) ?? 1e9) - (number(b.rank) ?? 1e9));
  const known = new Set(own.map((row) => row.method));
  const others = data.methods.filter((method) => !known.has(method.name));
  return [...own, ...others.map((method) => ({ method: method.name, estimate: method.estimate }))];
}

/** The method that comes first beside another, by the metric of the decision; empty where there is none. */
export function runnerUp(model: Model, other: string): string {
  const names = ranked(model, model.data.metric).map((row) => text(row.method));
  return names.find((name) => name !== other) ?? "";
}

/** Scores that say what a method could reach at best, or is worth at least. */
export function references({ scores, methods }: Model, metric: string): Row[] {
  return scores.filter((row) => row.metric === metric && !methods.has(text(row.method)));
}
