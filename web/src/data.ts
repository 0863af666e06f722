// What the page is told, as workflow/schemas/report.schema.json says, and how it is read.

export type Value = number | null;
export type Column = Value[] | { values: string[]; codes: number[] };
export type Table = { columns: string[] } & { [name: string]: Column | string[] };
export type Row = Record<string, number | string | null>;

export interface Metric {
  name: string;
  label: string;
  range: [Value, Value];
  higher_is_better: boolean;
  is_score: boolean;
  explained: string;
}

export interface Method {
  name: string;
  definition: { filter: string; threshold: string; parameters: string; roi: string };
  yaml: string;
  estimate: string;
  is_tuned: boolean;
  cost: { cpu_s_per_mpx: Value; peak_mb: Value } | null;
  citations: string[];
}

export interface Sample {
  name: string;
  planes: number;
  height: number;
  width: number;
  tile: [number, number];
  pixel_size: [number, number, number] | null;
  is_color: boolean;
  metadata: Record<string, string>;
}

export interface Decision {
  method: string;
  variant: string;
  metric: string;
  estimate: string;
  label: string;
  note: string;
  average: string;
  value: Value;
  low: Value;
  high: Value;
  confidence: number;
  units: { unit: string; number: number; independent: number };
  learning_curve: Record<string, number>[];
  worst?: Row[];
  expected: { value: Value; low: Value; high: Value; what: string } | null;
}

export interface Picture {
  type: string;
  data: string;
  width?: number;
  height?: number;
}

export interface Pack {
  sample: string;
  tile: string;
  image: Picture;
  filtered: Record<string, Picture>;
  method_filter: Record<string, string>;
  codes: Record<string, Picture>;
  probability: Record<string, Picture>;
  histograms: Record<string, { edges: [number, number]; counts: number[] }>;
  thresholds: Record<string, { values: number[]; note: string }>;
}

export interface BinnedMap {
  rows: number;
  columns: number;
  planes: number;
  values: Record<string, Record<string, Value[]>>;
}

export interface Data {
  format: number;
  title: string;
  /** What was imaged; else empty. */
  description: string;
  partial: string;
  metric: string;
  metrics: Metric[];
  samples: Sample[];
  methods: Method[];
  decision: Decision | null;
  answer: { sentences: string[]; next: string[]; warnings: number[] };
  warnings: Table;
  tables: Record<string, Table | undefined>;
  sweeps: Record<string, Table>;
  learning_curves: Record<string, Table>;
  units: Table;
  tiles: Table;
  tiles_total: number;
  maps: Record<string, BinnedMap>;
  tile_scores: { methods: Record<string, Record<string, Value[]>> };
  disagreement: Value[];
  thumbnails: { image: (string | null)[]; confusion: Record<string, (string | null)[]> };
  label_colors: Record<string, Record<string, [number, number, number]>>;
  alpha: number;
  glossary: Record<string, string>;
  methods_text: string;
  /** The same in Markdown, with keys of citations; its headings start with `## `. */
  methods_markdown: string;
  bibtex: string;
  provenance: Record<string, unknown>;
  packs: { number: number; embedded: Record<string, Pack | null> };
}

/** The data that the page holds: gzipped JSON in base64. */
export async function load(element: HTMLElement): Promise<Data> {
  const letters = atob(element.textContent ?? "");
  // forty times as fast as `Uint8Array.from` with a function
  const packed = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) packed[i] = letters.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text()) as Data;
}

export function length(table: Table | undefined): number {
  const first = table?.columns[0];
  if (!table || !first) return 0;
  const column = table[first] as Column;
  return Array.isArray(column) ? column.length : column.codes.length;
}

/** A column of numbers; of text, or where it is missing, each is null. */
export function numbers(table: Table | undefined, name: string): Value[] {
  const column = table?.[name] as Column | undefined;
  return Array.isArray(column) ? column : new Array<Value>(length(table)).fill(null);
}

/** A column of text; numbers are written out. */
export function texts(table: Table | undefined, name: string): string[] {
  const column = table?.[name] as Column | undefined;
  if (!column) return new Array<string>(length(table)).fill("");
  if (Array.isArray(column)) return column.map((value) => (value === null ? "" : String(value)));
  return column.codes.map((code) => column.values[code] ?? "");
}

export function rows(table: Table | undefined): Row[] {
  if (!table) return [];
  const columns = table.columns.map((name) => {
    const column = table[name] as Column;
    return [name, Array.isArray(column) ? column : texts(table, name)] as const;
  });
  return Array.from({ length: length(table) }, (_, i) =>
    Object.fromEntries(columns.map(([name, column]) => [name, column[i] ?? null])),
  );
}

/** Number of a cell, or null. */
export const number = (value: unknown): Value => (typeof value === "number" ? value : null);
export const text = (value: unknown): string =>
  value === null || value === undefined ? "" : String(value);

/** A tile of the table of tiles. */
export interface Tile {
  index: number;
  id: string;
  sample: string;
  name: string;
  z: number;
  y: number;
  x: number;
  height: number;
  width: number;
  annotated: boolean;
  excluded: boolean;
  flags: string[];
  unit: string;
  pack: number | null;
  reasons: string[];
  /** Why the method that was decided on scores as it does; else empty. */
  why: string;
}

export function tilesOf(data: Data): Tile[] {
  const list = (cell: unknown) => text(cell).split(";").filter(Boolean);
  return rows(data.tiles).map((row, index) => ({
    index,
    id: `${text(row.sample)}/${text(row.tile)}`,
    sample: text(row.sample),
    name: text(row.tile),
    z: number(row.z) ?? 0,
    y: number(row.y) ?? 0,
    x: number(row.x) ?? 0,
    height: number(row.height) ?? 0,
    width: number(row.width) ?? 0,
    annotated: row.annotated === 1,
    excluded: row.excluded === 1,
    flags: list(row.flags),
    unit: text(row.unit),
    pack: number(row.pack),
    reasons: list(row.reasons),
    why: text(row.why),
  }));
}

const waiting = new Map<number, (pack: Pack | null) => void>();
const known = new Map<number, Promise<Pack | null>>();

declare global {
  interface Window {
    tilewise_pack: (number: number, pack: Pack | null) => void;
    tilewise_run: (run: Run) => void;
  }
}

export interface Run {
  command: string;
  started: string;
  finished: string;
  commit: string | null;
  ok: boolean;
  rules?: Table;
}

window.tilewise_pack = (number, pack) => waiting.get(number)?.(pack);

/** The pictures of a tile: those in the page, or in a script beside it, which a click loads. */
export function pack(data: Data, number: number): Promise<Pack | null> {
  const embedded = data.packs.embedded[String(number)];
  if (embedded !== undefined) return Promise.resolve(embedded);
  let promise = known.get(number);
  if (!promise) {
    promise = new Promise((resolve, reject) => {
      waiting.set(number, resolve);
      const path = `report/pack_${String(number).padStart(4, "0")}.js`;
      script(path, () => {
        known.delete(number);
        reject(new Error(`${path} is missing: let it and report.html travel together`));
      });
    });
    known.set(number, promise);
  }
  return promise;
}

/** The record of the run, which a script beside the page holds. */
export function loadRun(): Promise<Run> {
  return new Promise((resolve, reject) => {
    window.tilewise_run = resolve;
    script("run.js", () => reject(new Error("There is no run.js beside this page: open the report in the folder of results that a run has written.")));
  });
}

function script(path: string, failed: () => void) {
  const element = document.createElement("script");
  element.src = path;
  element.onerror = failed;
  document.head.append(element);
}
