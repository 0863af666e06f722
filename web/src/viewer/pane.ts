// One picture: layers of a plane over each other, tiles and damage, and what is under the cursor.

import Feature, { type FeatureLike } from "ol/Feature";
import type MapBrowserEvent from "ol/MapBrowserEvent";
import OlMap from "ol/Map";
import type View from "ol/View";
import { intersects } from "ol/extent";
import Point from "ol/geom/Point";
import Polygon, { fromExtent } from "ol/geom/Polygon";
import DoubleClickZoom from "ol/interaction/DoubleClickZoom";
import DragPan from "ol/interaction/DragPan";
import MouseWheelZoom from "ol/interaction/MouseWheelZoom";
import PinchZoom from "ol/interaction/PinchZoom";
import LayerGroup from "ol/layer/Group";
import VectorLayer from "ol/layer/Vector";
import WebGLTileLayer from "ol/layer/WebGLTile";
import VectorSource from "ol/source/Vector";
import { Fill, RegularShape, Stroke, Style, Text } from "ol/style";
import type { StyleLike } from "ol/style/Style";
import { type Settings, styleOf, variables } from "./look";
import type { Damage, Pyramid } from "./pyramid";
import type { Layer, Sample, Tile } from "./server";
import { extentOf, PlaneSource, SIDE } from "./source";

/** A layer as it is to be seen. */
export interface Drawn {
  key: string;
  layer: Layer;
  opacity: number;
  settings: Settings;
}

export interface Scene {
  sample: Sample;
  plane: number;
  /** The lowest first. */
  drawn: Drawn[];
}

/** The value of a layer at a px; several of a colour. */
export interface Value {
  key: string;
  layer: Layer;
  values: number[];
  /** A side of what the value stands for, in px. */
  reduction: number;
}

/** How long the old plane stays, if the new one is not there; in ms. */
const PATIENCE = 4000;
/** How long a plane may take that is no longer asked for; in ms. */
const HURRY = 300;
/** Of the textures of a layer that are kept; and how many at most, and at least to fill a screen. */
const TEXTURE_BYTES = 96 * 2 ** 20;
const TEXTURES = { least: 48, most: 128 };
/** Wide enough on the screen for a tile's name, in px. */
const NAMED_WIDTH = 110;

/** The layers of one plane; there are two of them, so that one is seen while the other loads. */
class Plane {
  readonly group = new LayerGroup({ visible: false });
  readonly layers = new Map<string, WebGLTileLayer & { source: PlaneSource }>();

  constructor(
    private readonly sample: Sample,
    private readonly pyramidOf: (layer: Layer) => Pyramid,
    private readonly onTrouble: (error: unknown) => void,
  ) {}

  get paths() {
    return [...this.layers.keys()];
  }

  show({ plane, drawn }: Scene) {
    for (const path of this.paths) {
      if (!drawn.some(({ layer }) => layer.path === path)) this.remove(path);
    }
    drawn.forEach(({ layer, opacity, settings }, order) => {
      let own = this.layers.get(layer.path);
      if (!own) {
        const source = new PlaneSource(this.pyramidOf(layer), this.sample, this.onTrouble);
        source.setPlane(plane);
        const made = new WebGLTileLayer({
          source,
          style: styleOf(layer, settings),
          extent: extentOf(this.sample),
          cacheSize: texturesOf(layer),
        });
        own = Object.assign(made, { source });
        this.layers.set(layer.path, own);
        this.group.getLayers().push(own);
      }
      own.source.setPlane(plane);
      own.setZIndex(order);
      own.setOpacity(opacity);
      own.updateStyleVariables(variables(layer, settings));
    });
  }

  private remove(path: string) {
    const layer = this.layers.get(path)!;
    this.layers.delete(path);
    this.group.getLayers().remove(layer);
    layer.dispose();
  }

  get sources() {
    return [...this.layers.values()].map(({ source }) => source);
  }
}

export interface Listeners {
  /** The cursor is over a px, or has left. */
  onPoint: (at: { x: number; y: number } | null, pane: Pane) => void;
  onTrouble: (error: unknown) => void;
  /** Planes to go on by, with the wheel and shift. */
  onStep: (planes: number) => void;
  /** What is seen is there. */
  onSettled: () => void;
}

export class Pane {
  readonly map: OlMap;
  private seen: Plane;
  private next: Plane;
  private scene: Scene | null = null;
  /** What the other plane is loading for, or null. */
  private loading: Scene | null = null;
  private latest: Scene | null = null;
  private timer = 0;
  private isSettled = false;
  private readonly borders = new VectorSource();
  private readonly bordersLayer: VectorLayer;
  private readonly markLayer: VectorLayer;
  private readonly damage = new VectorSource();
  private readonly marked = new VectorSource();
  private readonly crossed = new VectorSource();
  private preparing = new AbortController();

  constructor(
    readonly element: HTMLElement,
    view: View,
    readonly sample: Sample,
    pyramidOf: (layer: Layer) => Pyramid,
    private readonly listeners: Listeners,
  ) {
    const plane = () => new Plane(sample, pyramidOf, listeners.onTrouble);
    [this.seen, this.next] = [plane(), plane()];
    this.seen.group.setVisible(true);
    const frame = new VectorSource({ features: [new Feature(fromExtent(extentOf(sample)))] });
    this.bordersLayer = over(this.borders, (feature, resolution) => {
      const { name, width } = feature.getProperties();
      return width / resolution < NAMED_WIDTH ? LINE : named(name);
    });
    this.markLayer = over(this.marked, MARK);
    this.map = new OlMap({
      target: element,
      view,
      controls: [],
      interactions: [
        new DragPan(),
        new DoubleClickZoom({ duration: 150 }),
        new PinchZoom(),
        new MouseWheelZoom({ condition: ({ originalEvent }) => !originalEvent.shiftKey, duration: 120 }),
      ],
      layers: [
        this.seen.group,
        this.next.group,
        over(this.damage, hatched()),
        over(frame, LINE),
        this.bordersLayer,
        this.markLayer,
        over(this.crossed, CROSS),
      ],
    });
    this.map.on("pointermove", (event: MapBrowserEvent) => {
      const [x, y] = event.coordinate as [number, number];
      listeners.onPoint(this.inside(x, -y), this);
    });
    element.addEventListener("pointerleave", () => listeners.onPoint(null, this));
    element.addEventListener("wheel", this.wheel, { passive: false });
    this.map.on("moveend", this.moved);
    this.map.on("loadstart", () => (element.ariaBusy = "true"));
    this.map.on("rendercomplete", this.complete);
  }

  private inside(x: number, y: number) {
    const at = { x: Math.floor(x), y: Math.floor(y) };
    return at.x >= 0 && at.y >= 0 && at.x < this.sample.width && at.y < this.sample.height ? at : null;
  }

  private wheel = (event: WheelEvent) => {
    if (!event.shiftKey) return;
    event.preventDefault();
    const step = Math.sign(event.deltaY || event.deltaX);
    if (step) this.listeners.onStep(step);
  };

  /** What is in sight, as OpenLayers counts it. */
  private get sight() {
    const view = this.map.getView();
    const resolution = view.getResolution();
    const size = this.map.getSize();
    return resolution && size ? { extent: view.calculateExtent(size), resolution } : null;
  }

  private moved = () => {
    const { sight } = this;
    if (!sight) return;
    for (const plane of [this.seen, this.next]) {
      for (const source of plane.sources) source.keepInSight(sight.extent, sight.resolution);
    }
    this.prepareNeighbours();
  };

  /** Show something else; what is seen stays until the new is there. */
  show(scene: Scene) {
    const before = this.scene;
    if (!before || !this.seen.paths.length || (!this.loading && isMoreOfTheSame(before, scene))) {
      const paths = this.seen.paths;
      this.scene = scene;
      this.seen.show(scene);
      if (this.seen.paths.some((path) => !paths.includes(path))) this.unsettle();
      else this.listeners.onSettled();
      return;
    }
    // settings and opacity at once
    this.scene = { ...before, drawn: alsoIn(before, scene) };
    this.seen.show(this.scene);
    this.latest = scene;
    if (!this.loading) this.load();
    else this.giveUpLater();
  }

  /** Planes that come one after the other are all seen, unless one takes long. */
  private giveUpLater() {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.latest && this.load(), HURRY);
  }

  private load() {
    const scene = this.latest!;
    this.latest = null;
    this.loading = scene;
    this.next.show(scene);
    this.next.group.setOpacity(0);
    this.next.group.setVisible(true);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(this.swap, PATIENCE);
    this.unsettle();
  }

  private swap = () => {
    if (!this.loading) return;
    clearTimeout(this.timer);
    this.scene = this.loading;
    this.loading = null;
    [this.seen, this.next] = [this.next, this.seen];
    this.seen.group.setOpacity(1);
    this.next.group.setVisible(false);
    if (this.latest) this.load();
    else this.settled();
  };

  /** Wait for what is asked for; drawn once at first, or it would seem to be there already. */
  private unsettle() {
    this.isSettled = false;
    this.element.ariaBusy = "true";
    this.map.renderSync();
  }

  private complete = () => {
    if (this.loading) return this.swap();
    this.element.ariaBusy = "false";
    if (!this.isSettled) this.settled();
  };

  private settled() {
    this.isSettled = true;
    this.listeners.onSettled();
    this.prepareNeighbours();
  }

  /** The plane that is seen, which is not the one that was asked for while that loads. */
  get plane() {
    return this.scene?.plane ?? 0;
  }

  private prepareNeighbours() {
    this.preparing.abort();
    this.preparing = new AbortController();
    const { signal } = this.preparing;
    const { sight } = this;
    if (!sight || this.loading) return;
    for (const plane of [this.plane + 1, this.plane - 1]) {
      if (plane < 0 || plane >= this.sample.planes) continue;
      for (const source of this.seen.sources) {
        // a trouble will be told once the plane is asked for
        source.prepare(plane, sight.extent, sight.resolution, signal).catch(() => {});
      }
    }
  }

  valuesAt({ x, y }: { x: number; y: number }): Value[] {
    const pixel = this.map.getPixelFromCoordinate([x + 0.5, -(y + 0.5)]);
    const resolution = this.map.getView().getResolution();
    if (!pixel || !resolution || !this.scene) return [];
    return this.scene.drawn.flatMap(({ key, layer }) => {
      const own = this.seen.layers.get(layer.path);
      const data = own?.getData(pixel);
      if (!own || !data || data instanceof DataView) return [];
      return [{ key, layer, values: [...data], reduction: own.source.reductionAt(resolution) }];
    });
  }

  showTiles(tiles: Tile[]) {
    this.borders.clear(true);
    this.borders.addFeatures(
      tiles.map((tile) => {
        const feature = new Feature(new Polygon([cornersOf(tile)]));
        feature.setProperties({ name: tile.tile.replace(/^z\d+_/, ""), width: tile.width });
        return feature;
      }),
    );
  }

  showBorders(isShown: boolean) {
    for (const layer of [this.bordersLayer, this.markLayer]) layer.setVisible(isShown);
  }

  mark(tile: Tile | null) {
    this.marked.clear(true);
    if (tile) this.marked.addFeature(new Feature(new Polygon([cornersOf(tile)])));
    this.marked.changed();
  }

  /** Show where the cursor is in the other picture. */
  cross(at: { x: number; y: number } | null) {
    this.crossed.clear(true);
    if (at) this.crossed.addFeature(new Feature(new Point([at.x + 0.5, -(at.y + 0.5)])));
    this.crossed.changed();
  }

  /** Hatch what is damaged in the layers and on the plane that are seen. */
  showDamage(damages: Damage[]) {
    this.damage.clear(true);
    const extent = extentOf(this.sample);
    const plane = this.sample.first_plane + this.plane;
    for (const { layer, planes, rows, columns } of damages) {
      const isSeen = this.seen.layers.has(layer) && planes[0] <= plane && plane < planes[1];
      const [x0, x1] = columns.map((x) => Math.min(x, this.sample.width)) as [number, number];
      const [y0, y1] = rows.map((y) => Math.min(y, this.sample.height)) as [number, number];
      const box = [x0, -y1, x1, -y0];
      if (isSeen && intersects(box, extent) && x1 > x0 && y1 > y0) {
        this.damage.addFeature(new Feature(fromExtent(box)));
      }
    }
    this.damage.changed();
  }

  /** Ask again for what did not come. */
  reload() {
    for (const plane of [this.seen, this.next]) for (const source of plane.sources) source.reload();
  }

  dispose() {
    this.preparing.abort();
    clearTimeout(this.timer);
    this.map.setTarget(undefined);
    for (const plane of [this.seen, this.next]) for (const layer of plane.layers.values()) layer.dispose();
    this.map.dispose();
  }
}

function texturesOf({ dtype, role }: Layer) {
  const bytes = SIDE * SIDE * (dtype === "uint8" ? 1 : 4) * (role === "color" ? 3 : 1);
  return Math.max(TEXTURES.least, Math.min(TEXTURES.most, Math.floor(TEXTURE_BYTES / bytes)));
}

/** Whether all that is seen stays as it is, or goes: nothing has to wait for what comes. */
function isMoreOfTheSame(before: Scene, scene: Scene) {
  const path = (key: string) => scene.drawn.find((one) => one.key === key)?.layer.path;
  const isSame = before.drawn.every(({ key, layer }) => [undefined, layer.path].includes(path(key)));
  return before.plane === scene.plane && isSame;
}

/** What is seen and goes on, with its new settings. */
function alsoIn(before: Scene, scene: Scene): Drawn[] {
  return before.drawn.flatMap((old) => {
    const now = scene.drawn.find(({ key }) => key === old.key);
    return now ? { ...now, layer: old.layer } : [];
  });
}

/** Lines over all that has pixels. */
const over = (source: VectorSource, style: StyleLike) => new VectorLayer({ source, style, zIndex: ABOVE });
const ABOVE = 1000;

const cornersOf = ({ x, y, width, height }: Tile) => {
  const [left, top, right, bottom] = [x, -y, x + width, -y - height];
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
    [left, top],
  ];
};

const BRIGHT = "rgb(255 255 255 / 55%)";
const DARK = "rgb(0 0 0 / 55%)";
/** Seen on bright and on dark pixels. */
const LINE = [
  new Style({ stroke: new Stroke({ color: DARK, width: 2.5 }) }),
  new Style({ stroke: new Stroke({ color: BRIGHT, width: 1 }) }),
];
const MARK = new Style({ stroke: new Stroke({ color: "#ffb000", width: 2 }) });
const CROSS = [
  [DARK, 3],
  ["#fff", 1.25],
].map(([color, width]) => {
  const stroke = new Stroke({ color: color as string, width: width as number });
  return new Style({ image: new RegularShape({ points: 4, radius: 9, radius2: 0, stroke }) });
});
const styles = new Map<string, Style[]>();

function named(name: string): Style[] {
  let style = styles.get(name);
  if (!style) {
    const text = new Text({
      text: name,
      font: "12px system-ui, sans-serif",
      textAlign: "left",
      textBaseline: "top",
      offsetX: 6,
      offsetY: 6,
      fill: new Fill({ color: "#fff" }),
      stroke: new Stroke({ color: "#000a", width: 3 }),
    });
    const corner = (feature: FeatureLike) => {
      const [left, , , top] = feature.getGeometry()!.getExtent() as [number, number, number, number];
      return new Point([left, top]);
    };
    style = [...LINE, new Style({ text, geometry: corner })];
    styles.set(name, style);
  }
  return style;
}

/** Stripes that let the other layers through. */
function hatched(): Style {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = HATCH;
  const context = canvas.getContext("2d")!;
  context.fillStyle = "rgb(120 120 120 / 40%)";
  context.fillRect(0, 0, HATCH, HATCH);
  context.strokeStyle = "#e0392b";
  context.lineWidth = 3;
  for (const shift of [-HATCH, 0, HATCH]) {
    context.moveTo(shift - 2, HATCH + 2);
    context.lineTo(shift + HATCH + 2, -2);
  }
  context.stroke();
  return new Style({
    fill: new Fill({ color: context.createPattern(canvas, "repeat")! }),
    stroke: new Stroke({ color: "#e0392b", width: 2 }),
  });
}

/** Side of the pattern, in px of the screen. */
const HATCH = 16;
