import View from "ol/View";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useKept } from "../state";
import { type Address, type Looked, parse, type Place, write, ZOOMS } from "./address";
import { Bar, Zooms } from "./bar";
import { glide, type Known, useKeys } from "./keys";
import { entriesOf, firstShown, layersOf, methodsOf } from "./layers";
import { type Damage, Pyramid } from "./pyramid";
import { Panel } from "./panel";
import { type Contents, type Layer, type Sample, Trouble, type Tile, tilesOf } from "./server";
import { extentOf, PROJECTION } from "./source";
import { type Cursor, Stage } from "./stage";
import { Status } from "./status";

/** How often the address follows what is looked at, at most; in ms. */
const ADDRESS_PACE = 250;
/** Around what is shown as a whole, in px of the screen. */
const MARGIN = 24;
/** A tile or a small sample is not enlarged by more, to start with. */
const LARGEST_FIT = 4;

export const zoomOf = (resolution: number) => -Math.log2(resolution);

function viewOf(sample: Sample, place: Place | null): View {
  return new View({
    projection: PROJECTION,
    extent: extentOf(sample),
    constrainOnlyCenter: true,
    smoothExtentConstraint: false,
    enableRotation: false,
    minResolution: 2 ** -ZOOMS.most,
    maxResolution: 2 ** -ZOOMS.least,
    center: place ? [place.x, -place.y] : [sample.width / 2, -sample.height / 2],
    resolution: 2 ** -(place?.zoom ?? 0),
  });
}

export function App({ contents }: { contents: Contents }) {
  const start = useMemo(() => parse(contents, location.hash), []);
  const [address, setAddress] = useState<Address>(start);
  const [looked, setLooked] = useState<Looked>(start.looked);
  const [theme, setTheme] = useKept<string>("theme", "auto");
  const [damages, setDamages] = useState<Damage[]>([]);
  const [trouble, setTrouble] = useState("");
  const [attempt, setAttempt] = useState(0);
  const [tiles, setTiles] = useState<Tile[]>([]);
  const [current, setCurrent] = useState(start.tile);
  const [cursor, setCursor] = useState<Cursor | null>(null);
  const { sample, plane } = looked;

  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  useEffect(() => {
    document.title = `${sample.sample} – ${contents.name} – tilewise`;
  }, [sample]);

  const tell = useCallback((error: unknown) => {
    if (!(error instanceof Trouble)) console.error(error);
    setTrouble(error instanceof Error ? error.message : String(error));
  }, []);

  // of all samples, as collected ones share them
  const pyramids = useRef(new Map<string, Pyramid>());
  const pyramidOf = useCallback((layer: Layer) => {
    let pyramid = pyramids.current.get(layer.path);
    if (!pyramid) {
      pyramid = new Pyramid(layer, (damage) => setDamages((known) => [...known, damage]));
      pyramids.current.set(layer.path, pyramid);
    }
    return pyramid;
  }, []);

  const view = useMemo(() => viewOf(sample, address.place), [sample, address]);
  /** Where one looks, once there is a picture. */
  const placeOf = (): Place | null => {
    const center = view.getCenter();
    const resolution = view.getResolution();
    return isPlaced.current && center && resolution
      ? { x: center[0]!, y: -center[1]!, zoom: zoomOf(resolution) }
      : null;
  };
  const isPlaced = useRef(false);

  // the address follows
  const written = useRef("");
  const latest = useRef(looked);
  latest.current = looked;
  useEffect(() => {
    let timer = 0;
    const put = () => {
      timer = 0;
      written.current = write(latest.current, placeOf());
      history.replaceState(null, "", written.current);
    };
    const later = () => {
      if (!timer) timer = window.setTimeout(put, ADDRESS_PACE);
    };
    if (isPlaced.current) later();
    view.on("change", later);
    return () => {
      view.un("change", later);
      clearTimeout(timer);
    };
  }, [view, looked]);
  useEffect(() => {
    const read = () => {
      if (location.hash === written.current) return;
      const next = parse(contents, location.hash);
      isPlaced.current = false;
      setAddress(next);
      setLooked(next.looked);
      setCurrent(next.tile);
    };
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);

  const change = useCallback((part: Partial<Looked>) => setLooked((before) => ({ ...before, ...part })), []);
  const layers = useMemo(() => layersOf(contents, sample), [sample]);
  const entries = useMemo(() => entriesOf(layers), [layers]);
  const methods = useMemo(() => methodsOf(layers), [layers]);

  const openSample = (next: Sample) => {
    const others = layersOf(contents, next);
    const known = entriesOf(others);
    const ofNext = methodsOf(others);
    const method = ofNext.includes(looked.method) ? looked.method : (ofNext[0] ?? "");
    const keys = Object.entries(looked.shown).filter(([key]) => known.some((one) => one.key === key));
    isPlaced.current = false;
    setTiles([]);
    setCurrent("");
    setCursor(null);
    setAddress({ ...address, place: null, tile: "" });
    change({
      sample: next,
      plane: Math.min(looked.plane, next.planes - 1),
      method,
      beside: ofNext.includes(looked.beside) ? looked.beside : "",
      shown: keys.length ? Object.fromEntries(keys) : firstShown(known, method),
    });
  };

  useEffect(() => {
    let isGone = false;
    tilesOf(sample.sample, plane).then((found) => !isGone && setTiles(found), tell);
    return () => {
      isGone = true;
    };
  }, [sample, plane, attempt]);

  const step = useCallback((by: number) => {
    setLooked((before) => {
      const next = Math.min(Math.max(before.plane + by, 0), before.sample.planes - 1);
      return next === before.plane ? before : { ...before, plane: next };
    });
  }, []);

  // the tile that is marked is of the plane that is shown
  const nameIn = (name: string) => name.replace(/^z\d+/, `z${String(plane).padStart(4, "0")}`);
  const tile = tiles.find((one) => one.tile === nameIn(current)) ?? null;
  const goTo = (one: Tile) => {
    setCurrent(one.tile);
    glide(view, { center: [one.x + one.width / 2, -(one.y + one.height / 2)] });
  };
  const stepTile = (by: number) => {
    if (!tiles.length) return;
    const at = tile ? tiles.indexOf(tile) : by > 0 ? -1 : 0;
    goTo(tiles[(at + by + tiles.length) % tiles.length]!);
  };

  /** Show the sample, or a part of it, as a whole. */
  const fit = (box: Tile | null, size: number[]) => {
    const extent = box ? [box.x, -box.y - box.height, box.x + box.width, -box.y] : extentOf(sample);
    view.fit(extent, { size, padding: Array(4).fill(MARGIN), minResolution: 1 / LARGEST_FIT });
  };
  const stage = useRef<HTMLDivElement>(null);
  const sizeOfPane = () => {
    const pane = stage.current?.querySelector(".picture");
    return [pane?.clientWidth || 1, pane?.clientHeight || 1];
  };
  // the place that the address has, the tile that it names, or all of it
  useLayoutEffect(() => {
    if (isPlaced.current) return;
    if (!address.place && !address.tile) fit(null, sizeOfPane());
    if (address.place || !address.tile) isPlaced.current = true;
  }, [view]);
  useEffect(() => {
    if (isPlaced.current || !tiles.length) return;
    fit(tiles.find((one) => one.tile === address.tile) ?? null, sizeOfPane());
    isPlaced.current = true;
    view.changed();
  }, [tiles]);

  const retry = () => {
    for (const pyramid of pyramids.current.values()) pyramid.forget();
    setDamages([]);
    setTrouble("");
    setAttempt(attempt + 1);
  };

  const known: Known = {
    ...{ contents, looked, change, entries, methods, tile, tiles },
    ...{ step, stepTile, goTo, openSample, pyramidOf, view },
    whole: () => fit(null, sizeOfPane()),
  };
  useKeys(known);

  const files = [...new Set(damages.map(({ file }) => file))];
  return (
    <>
      <Bar known={known} theme={theme} setTheme={setTheme} />
      <div class="body">
        <main ref={stage} class="stage">
          <h2 class="unseen">Picture</h2>
          <Stage
            {...{ known, damages, attempt, cursor, setCursor }}
            onTile={setCurrent}
            onTrouble={tell}
          />
          <Zooms known={known} />
          <div class="notes">
            {trouble && (
              <p class="note" role="alert">
                {trouble}{" "}
                <button type="button" onClick={retry}>
                  Try again
                </button>
              </p>
            )}
            {files.length > 0 && (
              <div class="note" role="alert">
                What is hatched is damaged. Delete{" "}
                {files.length > 1 ? "these files" : "this file"} and run snakemake again:
                <ul>
                  {files.slice(0, 5).map((file) => (
                    <li key={file}>
                      <code>
                        {contents.name}/{file}
                      </code>
                    </li>
                  ))}
                </ul>
                {files.length > 5 && <p>and {files.length - 5} more.</p>}
                <button type="button" onClick={retry}>
                  Read again
                </button>
              </div>
            )}
          </div>
          <Status known={known} cursor={cursor} />
        </main>
        <Panel known={known} />
      </div>
    </>
  );
}
