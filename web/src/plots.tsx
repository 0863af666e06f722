// A plot of Observable Plot, with its caption, and its export as SVG and CSV.

import * as Plot from "@observablehq/plot";
import { useEffect, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { DISTINCT } from "./colors";
import type { Data } from "./data";

type Cell = string | number | null | undefined;

interface Props {
  /** Also the name of the files that are exported. */
  name: string;
  /** What is seen, for those who do not see it. */
  description: string;
  options: Plot.PlotOptions;
  /** Pixels below which the plot scrolls; as wide as `options.width` it is where there is room. */
  least?: number;
  /** What a file has besides, such as a legend that the page has its own of. */
  exported?: Plot.PlotOptions;
  rows: Record<string, Cell>[];
  children?: ComponentChildren;
}

/** Milliseconds until plots below the window are drawn. */
const SOON = 60;
/** Pixels of a plot without its margins, at least. */
const LEAST = 180;
/** Pixels of a legend of one line. */
const LEGEND = 38;

export function Figure({ name, description, options, least, exported, rows, children }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { top, width } = place.current!.getBoundingClientRect();
    if (top < innerHeight) return show(width);
    // what is in view is not kept waiting by what is not
    const waiting = setTimeout(() => show(width), SOON);
    return () => clearTimeout(waiting);
  });
  const most = options.width ?? 640;
  const show = (width: number) => {
    const own = least ?? (options.marginLeft ?? 40) + (options.marginRight ?? 20) + LEAST;
    const plot = drawn({ ...options, width: Math.min(most, Math.max(width, own)) }, description);
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", description);
    // a group without a role has no name, and a legend says nothing that the description does not
    for (const group of plot.querySelectorAll("g[aria-label]")) group.removeAttribute("aria-label");
    if (plot.tagName !== "svg")
      for (const part of plot.querySelectorAll("svg")) part.setAttribute("aria-hidden", "true");
    place.current?.replaceChildren(plot);
    // on a narrow screen, a plot is less high than its room was
    place.current?.style.removeProperty("min-height");
  };
  const room = (options.height ?? 0) + (options.color?.legend ? LEGEND : 0);
  const svg = () => saveSvg(name, drawn({ ...options, ...exported }, description));
  return (
    <figure class="plot" style={{ maxWidth: `${most}px` }}>
      <div class="wide" ref={place} style={{ minHeight: `${room}px` }} />
      <figcaption>
        <span>{children}</span>
        <span class="exports">
          <button type="button" onClick={svg} aria-label={`Save ${name} as SVG`}>
            SVG
          </button>
          <button
            type="button"
            onClick={() => save(`${name}.csv`, "text/csv", csv(rows))}
            aria-label={`Save ${name} as CSV`}
          >
            CSV
          </button>
        </span>
      </figcaption>
    </figure>
  );
}

const STYLE = { background: "transparent", color: "currentColor", fontSize: "12px" };

/** A plot; with a legend, it is a figure that has it. */
export function drawn(options: Plot.PlotOptions, description: string): Element {
  return Plot.plot({ style: STYLE, ...options, ariaLabel: description });
}

/** Save a plot as a file that needs nothing else: with its legend, in the light theme's colours. */
export function saveSvg(name: string, plot: Element) {
  save(`${name}.svg`, "image/svg+xml", standalone(plot));
}

const SVG = "http://www.w3.org/2000/svg";
/** Of a line of a legend. */
const LINE = 20;

function standalone(plot: Element): string {
  const parts = plot.tagName === "svg" ? [plot] : [...plot.querySelectorAll(":scope > svg")];
  const main = parts.at(-1) as SVGSVGElement;
  const width = Number(main.getAttribute("width"));
  const height = Number(main.getAttribute("height"));
  const whole = document.createElementNS(SVG, "svg");
  let top = 0;
  const place = (part: Element, x: number, y: number) => {
    part.setAttribute("x", String(x));
    part.setAttribute("y", String(y));
    whole.append(part);
  };
  let x = 4;
  for (const swatch of plot.querySelectorAll<HTMLElement>('span[class*="swatch"]')) {
    const label = document.createElementNS(SVG, "text");
    label.textContent = swatch.textContent;
    const room = 30 + 7 * (label.textContent ?? "").length;
    if (top === 0) top = LINE;
    if (x + room > width && x > 4) [x, top] = [4, top + LINE];
    const symbol = swatch.querySelector("svg")!.cloneNode(true) as SVGElement;
    symbol.setAttribute("width", "15");
    symbol.setAttribute("height", "15");
    place(symbol, x, top - LINE + 2);
    place(label, x + 19, top - LINE + 14);
    x += room;
  }
  for (const ramp of parts.slice(0, -1)) {
    place(ramp, 0, top);
    top += Number(ramp.getAttribute("height"));
  }
  place(main, 0, top);
  const sides = { width, height: height + top };
  const style = "background:#fff;color:#222;fill:currentColor;font:12px sans-serif";
  const known = { ...sides, viewBox: `0 0 ${width} ${sides.height}`, style };
  for (const [key, value] of Object.entries(known)) whole.setAttribute(key, String(value));
  const text = new XMLSerializer().serializeToString(whole);
  return text.replace(/var\((--[\w-]+)\)/g, (_, variable: string) => inLightTheme(variable));
}

/** A colour of the page, which a file of its own does not know. */
function inLightTheme(variable: string): string {
  const probe = document.createElement("span");
  probe.style.cssText = `color-scheme: light; color: var(${variable})`;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}

export function csv(rows: Record<string, Cell>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const written = (cell: Cell) => {
    const text = cell === null || cell === undefined ? "" : String(cell);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  return `${lines.map((line) => line.map(written).join(",")).join("\n")}\n`;
}

export function save(name: string, type: string, content: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  // a busy machine takes a while to begin
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Room for names beside a plot, in pixels. */
export const roomFor = (names: string[]) =>
  Math.min(Math.max(...names.map((name) => 7 * name.length), 40) + 20, 260);

/** A table that scrolls by itself on a narrow screen, also with the keyboard. */
export function Wide({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="wide" role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}

interface MethodLegendProps {
  data: Data;
  methods: string[];
  hidden: ReadonlySet<string>;
  setHidden: (hidden: ReadonlySet<string>) => void;
}

/** Names with their colours and symbols; a click hides a method, or shows it again. */
export function MethodLegend({ data, methods, hidden, setHidden }: MethodLegendProps) {
  const toggle = (name: string) => {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    setHidden(next);
  };
  return (
    <div class="methods-legend" role="group" aria-label="Methods that are shown">
      {methods.map((name) => {
        const { color, path } = mark(data, name);
        return (
          <button type="button" key={name} aria-pressed={!hidden.has(name)} onClick={() => toggle(name)}>
            <svg viewBox="-6 -6 12 12" width="13" height="13" aria-hidden="true">
              <path d={path} fill={color} />
            </svg>{" "}
            {name}
          </button>
        );
      })}
      {hidden.size > 0 && (
        <button type="button" onClick={() => setHidden(new Set())}>
          Show all
        </button>
      )}
    </div>
  );
}

/** Symbols of Plot, and how they look. */
const SYMBOLS = [
  ["circle", "M5,0A5,5,0,1,1,-5,0A5,5,0,1,1,5,0Z"],
  ["square", "M-4,-4H4V4H-4Z"],
  ["triangle", "M0,-5L5,4H-5Z"],
  ["diamond", "M0,-6L4,0L0,6L-4,0Z"],
  ["cross", "M-5,-1.7H-1.7V-5H1.7V-1.7H5V1.7H1.7V5H-1.7V1.7H-5Z"],
  ["star", "M0,-6L1.4,-1.9H5.7L2.2,0.7L3.5,4.9L0,2.3L-3.5,4.9L-2.2,0.7L-5.7,-1.9H-1.4Z"],
] as const;

/** The colour and the symbol of a method, which are the same in all plots. */
function mark(data: Data, name: string) {
  const i = Math.max(data.methods.findIndex((method) => method.name === name), 0);
  const [symbol, path] = SYMBOLS[i % SYMBOLS.length]!;
  return { color: DISTINCT[i % DISTINCT.length]!, symbol, path };
}

/** Scales in which methods have their colours and symbols, whichever are shown. */
export function methodScales(data: Data, methods: string[]) {
  const marks = methods.map((name) => mark(data, name));
  return {
    color: { domain: methods, range: marks.map((one) => one.color) },
    symbol: { domain: methods, range: marks.map((one) => one.symbol) },
  };
}
