// Pictures of one layer for OpenLayers, plane by plane.

import Projection from "ol/proj/Projection";
import DataTileSource from "ol/source/DataTile";
import type { TileSourceEvent } from "ol/source/Tile";
import TileGrid from "ol/tilegrid/TileGrid";
import TileState from "ol/TileState";
import type DataTile from "ol/DataTile";
import { type Extent, getIntersection, intersects, isEmpty } from "ol/extent";
import { picture, placesOf, type Pyramid, type Window } from "./pyramid";
import type { Sample } from "./server";

/** Of a picture, in px of its level: whatever the chunks are. */
export const SIDE = 512;

/** Px to the right, and up: rows are negative. */
export const PROJECTION = new Projection({ code: "sample", units: "pixels" });

export const extentOf = ({ width, height }: Sample): Extent => [0, -height, width, 0];

/** On fine screens, the level that has a px for each of the screen's. */
class FineGrid extends TileGrid {
  getZForResolution(resolution: number, direction?: number) {
    return super.getZForResolution(resolution / devicePixelRatio, direction);
  }
}

export class PlaneSource extends DataTileSource<DataTile> {
  plane = -1;
  /** So that what was given up is not taken for what is there. */
  private visit = 0;
  private readonly levels: number;

  constructor(
    private readonly pyramid: Pyramid,
    private readonly sample: Sample,
    onTrouble: (error: unknown) => void,
  ) {
    const { levels, role } = pyramid.layer;
    const tileGrid = new FineGrid({
      extent: extentOf(sample),
      origin: [0, 0],
      resolutions: Array.from({ length: levels }, (_, z) => 2 ** (levels - 1 - z)),
      tileSize: SIDE,
    });
    super({
      projection: PROJECTION,
      tileGrid,
      bandCount: role === "color" ? 3 : 1,
      interpolate: false,
      wrapX: false,
      transition: 0,
    });
    this.levels = levels;
    this.on("tileloaderror", ({ tile }: TileSourceEvent) => {
      const error = (tile as DataTile).getError();
      if (!isGivenUp(error)) return onTrouble(error);
      // to be asked for again once it is seen again, when the queue has taken note
      queueMicrotask(() => tile.setState(TileState.IDLE));
    });
  }

  /** Show a plane, counted in the sample. */
  setPlane(plane: number) {
    if (plane === this.plane) return;
    this.plane = plane;
    this.reload();
  }

  reload() {
    this.giveUp(() => true);
    const { plane } = this;
    const controllers = new Map<string, AbortController>();
    this.setLoader((z, x, y, { signal }) => {
      const controller = new AbortController();
      signal.addEventListener("abort", () => controller.abort(GIVEN_UP));
      const name = `${z}/${x}/${y}`;
      controllers.set(name, controller);
      return this.load(plane, z, x, y, controller.signal).finally(() => controllers.delete(name));
    });
    this.controllers = controllers;
    this.visit++;
    this.setKey(`${plane}/${this.visit}`);
  }

  private controllers = new Map<string, AbortController>();

  private giveUp(isGivenUp: (z: number, x: number, y: number) => boolean) {
    for (const [name, controller] of this.controllers) {
      const [z, x, y] = name.split("/").map(Number) as [number, number, number];
      if (isGivenUp(z, x, y)) controller.abort(GIVEN_UP);
    }
  }

  /** Stop what is out of sight, or of a level that is not looked at any more. */
  keepInSight(extent: Extent, resolution: number) {
    const grid = this.getTileGrid()!;
    const seen = grid.getZForResolution(resolution);
    this.giveUp((z, x, y) => z !== seen || !intersects(grid.getTileCoordExtent([z, x, y]), extent));
  }

  private windowOf(plane: number, level: number, x: number, y: number): Window {
    const { first_plane, height, width } = this.sample;
    const upTo = (at: number, size: number): [number, number] => [
      at * SIDE,
      Math.min((at + 1) * SIDE, Math.ceil(size / 2 ** level)),
    ];
    return { plane: first_plane + plane, rows: upTo(y, height), columns: upTo(x, width) };
  }

  private load(plane: number, z: number, x: number, y: number, signal: AbortSignal) {
    const level = this.levels - 1 - z;
    return picture(this.pyramid, level, this.windowOf(plane, level, x, y), [SIDE, SIDE], signal);
  }

  /** Have the chunks of another plane at hand, where one looks. */
  async prepare(plane: number, extent: Extent, resolution: number, signal: AbortSignal) {
    const grid = this.getTileGrid()!;
    const z = grid.getZForResolution(resolution);
    const level = this.levels - 1 - z;
    const { array } = await this.pyramid.level(level);
    const places: number[][] = [];
    const seen = getIntersection(extent, extentOf(this.sample));
    if (isEmpty(seen)) return;
    grid.forEachTileCoord(seen, z, ([, x, y]) => {
      const channels = array.shape.length > 3 ? array.shape[0]! : 0;
      for (const place of placesOf(array.chunks, this.windowOf(plane, level, x!, y!))) {
        if (!channels) places.push(place);
        for (let channel = 0; channel < channels; channel++) places.push([channel, ...place]);
      }
    });
    await Promise.all(places.map((place) => this.pyramid.chunk(level, place, signal, "ahead")));
  }

  /** How many px are one, at the level that is looked at. */
  reductionAt(resolution: number) {
    return this.getTileGrid()!.getResolution(this.getTileGrid()!.getZForResolution(resolution));
  }
}

const GIVEN_UP = new DOMException("out of sight", "AbortError");
export const isGivenUp = (error: unknown) => error instanceof DOMException && error.name === "AbortError";
