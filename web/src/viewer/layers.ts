// The layers that one can switch: those of methods stand once, for the method that is shown.

import type { Contrast } from "./look";
import type { Contents, Layer, Role, Sample } from "./server";

/** Of methods, besides the segmentation that was decided on. */
const OF_METHODS: Partial<Record<Role, string>> = {
  probability: "Probability",
  mask: "Mask",
  confusion: "Right and wrong",
};

export interface Entry {
  /** In the address: the role of what is a method's, else the layer's id. */
  key: string;
  title: string;
  role: Role;
  /** The layer of a method, or that of all. */
  of: (method: string) => Layer | undefined;
  /** Whether it is another layer for another method. */
  isOfMethod: boolean;
}

export function layersOf(contents: Contents, sample: Sample): Layer[] {
  return contents.stacks[sample.stack]?.layers ?? [];
}

export function methodsOf(layers: Layer[]): string[] {
  return [...new Set(layers.flatMap(({ method }) => method ?? []))];
}

/** In the order in which they are drawn, the lowest first. */
export function entriesOf(layers: Layer[]): Entry[] {
  const entries = new Map<string, Entry>();
  for (const layer of layers) {
    const title = layer.method === null ? undefined : OF_METHODS[layer.role];
    const key = title ? layer.role : layer.id;
    if (entries.has(key)) continue;
    const of = (method: string) => layers.find((one) => one.role === layer.role && one.method === method);
    entries.set(key, {
      key,
      title: title ?? layer.title,
      role: layer.role,
      of: title ? of : () => layer,
      isOfMethod: Boolean(title),
    });
  }
  return [...entries.values()];
}

/** Opacity of a layer that is switched on; labels let the image through. */
export const OPACITY: Record<Role, number> = {
  image: 1,
  color: 1,
  filtered: 1,
  probability: 0.7,
  roi: 0.3,
  truth: 0.6,
  annotator: 0.6,
  mask: 0.6,
  confusion: 0.6,
  errors: 0.8,
};

/** Layers that are shown, with their opacity. */
export type Shown = Record<string, number>;

/** The image, in colour where it has one, and what the method makes of it. */
export function firstShown(entries: Entry[], method: string): Shown {
  const first = (...keys: string[]) => {
    for (const key of keys) {
      const entry = entries.find((one) => one.key === key && one.of(method));
      if (entry) return { [key]: OPACITY[entry.role] };
    }
    return {};
  };
  return { ...first("color", "image"), ...first("confusion", "segmentation", "mask", "truth") };
}

export function contrastOf(layer: Layer, given: Record<string, Contrast>, key: string): Contrast {
  return given[key] ?? layer.window ?? [0, layer.dtype === "uint8" ? 255 : 1];
}

export const tileOf = (name: string) => /^z(\d+)_y(\d+)_x(\d+)$/.exec(name);
