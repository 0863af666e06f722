import { Component, type ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Answer } from "./answer";
import { Check } from "./check";
import { Compare } from "./compare";
import type { Data } from "./data";
import { Explore } from "./explore";
import { Glossary } from "./glossary";
import { model, ranked, Shown } from "./model";
import { text } from "./data";
import { Reproduce } from "./reproduce";
import { TABS, type Tab, useAddress, useKept, write } from "./state";

const NAMES: Record<Tab, string> = {
  answer: "The answer",
  compare: "Compare",
  explore: "Explore",
  check: "Check",
  reproduce: "Reproduce",
};
const VIEWS = { answer: Answer, compare: Compare, explore: Explore, check: Check, reproduce: Reproduce };

/** Parts that are of the metric of the decision, whichever is selected. */
const UNCHANGED: Tab[] = ["answer", "reproduce"];

/** What goes wrong in a view is said, and the other views go on. */
class Boundary extends Component<{ children: ComponentChildren }, { problem: string }> {
  state = { problem: "" };
  static getDerivedStateFromError(error: Error) {
    return { problem: error.message };
  }
  componentDidCatch(error: Error) {
    console.error(error);
  }
  render() {
    if (!this.state.problem) return this.props.children;
    return (
      <p class="warning">
        This part of the report cannot be shown: {this.state.problem}. The tables in the folder of results hold its
        numbers.
      </p>
    );
  }
}

export function App({ data }: { data: Data }) {
  const known = useMemo(() => model(data), [data]);
  const [address, change] = useAddress();
  const [theme, setTheme] = useKept<string>("theme", "auto");
  const [palette, setPalette] = useKept<string>("palette", "safe");
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  useEffect(() => {
    document.title = data.title;
  }, [data]);

  const before = useRef(address.tab);
  useEffect(() => {
    if (before.current === address.tab) return;
    before.current = address.tab;
    // an open tile has brought itself into view
    if (address.tab !== "explore" || !address.tile) scrollTo(0, 0);
  }, [address.tab]);

  const metric = known.metrics.get(address.metric) ?? known.metrics.get(data.metric) ?? data.metrics[0]!;
  const order = ranked(known, data.metric).map((row) => text(row.method));
  const has = (name: string) => known.methods.has(name);
  const a = has(address.a) ? address.a : (data.decision?.method ?? order[0] ?? "");
  const b = has(address.b) && address.b !== a ? address.b : "";
  const shown = { ...known, address, change, metric, a, b, palette };
  const View = VIEWS[address.tab];
  return (
    <Glossary.Provider value={data.glossary}>
      <Shown.Provider value={shown}>
        <header>
          <div class="bar">
            <h1>
              <a href="#answer">{data.title}</a>
            </h1>
            <nav aria-label="Parts of the report">
              {TABS.map((tab) => (
                <a
                  key={tab}
                  href={write({ ...address, tab, tile: tab === "explore" ? address.tile : "" })}
                  aria-current={tab === address.tab ? "page" : undefined}
                >
                  {NAMES[tab]}
                </a>
              ))}
            </nav>
            <div class="settings">
              <label>
                {UNCHANGED.includes(address.tab) ? "Metric of the other parts" : "Metric"}{" "}
                <select
                  id="metric"
                  value={metric.name}
                  onChange={(event) => change({ metric: event.currentTarget.value })}
                >
                  {data.metrics.map((one) => (
                    <option key={one.name} value={one.name}>
                      {one.label}
                    </option>
                  ))}
                </select>
              </label>
              <label>
                Overlay{" "}
                <select
                  id="palette"
                  value={palette}
                  onChange={(event) => setPalette(event.currentTarget.value)}
                >
                  <option value="safe">colour-blind safe</option>
                  <option value="published">cyan, magenta, yellow</option>
                </select>
              </label>
              <label>
                Theme{" "}
                <select
                  id="theme"
                  value={theme}
                  onChange={(event) => setTheme(event.currentTarget.value)}
                >
                  <option value="auto">as the system</option>
                  <option value="light">light</option>
                  <option value="dark">dark</option>
                </select>
              </label>
            </div>
          </div>
        </header>
        <main>
          {data.partial && <p class="warning">{data.partial}</p>}
          <h2 class="title">{NAMES[address.tab]}</h2>
          <Boundary key={address.tab}>
            <View />
          </Boundary>
        </main>
      </Shown.Provider>
    </Glossary.Provider>
  );
}
