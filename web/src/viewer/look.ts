// How values become colours: as shaders, so that nothing is loaded again when a setting changes.

import type { Style } from "ol/layer/WebGLTile";
import type { Layer } from "./server";

export type Rgb = [number, number, number];
export const COLOR_MAPS = ["grey", "inverted", "viridis", "magma"] as const;
export type ColorMap = (typeof COLOR_MAPS)[number];
export const COLOR_MAP_WORDS: Record<ColorMap, string> = {
  grey: "grey",
  inverted: "grey, inverted",
  viridis: "viridis",
  magma: "magma",
};

/** Colours at equal distances, in between which they are blended. */
const ANCHORS: Record<ColorMap, string> = {
  grey: "000000ffffff",
  inverted: "ffffff000000",
  viridis:
    "440154481769472a7a433d843d4e8a355e8d2e6d8e297b8e23898e1f978b21a5852eb37c46c06f65cb5e89d548b0dd2fd8e219fde725",
  magma:
    "0000040907201a10423111654a1079621980792282912b81aa337dc23b75d9466bec5860f7725cfc8e64feaa74fec68afde2a3fcfdbf",
};
const STEPS = 256;

/** The 256 colours of a map, from the low end of the window to the high one. */
export function ramp(map: ColorMap): Rgb[] {
  const anchors = ANCHORS[map].match(/.{6}/g)!.map(rgbOf);
  return Array.from({ length: STEPS }, (_, i) => {
    const at = (i / (STEPS - 1)) * (anchors.length - 1);
    const from = Math.min(Math.floor(at), anchors.length - 2);
    const [low, high] = [anchors[from]!, anchors[from + 1]!];
    return low.map((value, c) => Math.round(value + (at - from) * (high[c]! - value))) as Rgb;
  });
}

const rgbOf = (hex: string) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)) as Rgb;

export const gradient = (map: ColorMap) => {
  const colors = ANCHORS[map].match(/.{6}/g)!.map((hex) => `#${hex}`);
  return `linear-gradient(90deg, ${colors.join(", ")})`;
};

export type Contrast = [number, number];

/** What a layer may be told without being made anew. */
export interface Settings {
  contrast: Contrast;
  map: ColorMap;
  /** Values of labels that are not drawn. */
  hidden: ReadonlySet<number>;
  /** Of labels, by value, in place of their own: `rrggbb`. */
  colors: Readonly<Record<number, string>>;
}

/** Bytes come to the shader as 0 to 1. */
const scaleOf = (layer: Layer) => (layer.dtype === "uint8" ? 255 : 1);

const CHANNELS = ["red", "green", "blue"] as const;

export function variables(layer: Layer, { contrast, map, hidden, colors }: Settings): Record<string, number> {
  if (layer.colors) {
    const all = layer.colors.flatMap(({ value, rgba }) => {
      const own = colors[value] ? rgbOf(colors[value]) : rgba;
      const channels = CHANNELS.map((name, c): [string, number] => [`${name}${value}`, own[c]!]);
      return [[`shown${value}`, hidden.has(value) ? 0 : 1] as [string, number], ...channels];
    });
    return Object.fromEntries(all);
  }
  const scale = scaleOf(layer);
  const [low, high] = contrast;
  return {
    low: low / scale,
    // of a window without width, all from its value on is white
    width: Math.max(high - low, 1e-6) / scale,
    map: COLOR_MAPS.indexOf(map),
  };
}

export function styleOf(layer: Layer, settings: Settings): Style {
  return { variables: variables(layer, settings), color: colorOf(layer) };
}

type Expression = (string | number | Expression)[];

function colorOf(layer: Layer): Expression {
  if (layer.colors) {
    const index: Expression = ["round", ["*", ["band", 1], scaleOf(layer)]];
    const cases = layer.colors.flatMap(({ value, rgba: [, , , alpha] }): Expression => {
      const rgb = CHANNELS.map((name): Expression => ["var", `${name}${value}`]);
      return [value, ["color", ...rgb, ["*", alpha / 255, ["var", `shown${value}`]]]];
    });
    return ["match", index, ...cases, ["color", 0, 0, 0, 0]];
  }
  const share = (band: number): Expression => [
    "clamp",
    ["/", ["-", ["band", band], ["var", "low"]], ["var", "width"]],
    0,
    1,
  ];
  if (layer.role === "color") return ["color", ...[1, 2, 3].map((band): Expression => ["*", 255, share(band)])];
  const step: Expression = ["round", ["*", STEPS - 1, share(1)]];
  const colors = COLOR_MAPS.flatMap(ramp);
  return ["palette", ["+", ["*", STEPS, ["var", "map"]], step], colors];
}
