import { render } from "preact";
import { App } from "./app";
import { load } from "./data";

async function start() {
  const element = document.getElementById("data");
  const place = document.getElementById("app");
  if (!element || !place) return;
  const data = await load(element);
  document.getElementById("static")?.remove();
  render(<App data={data} />, place);
}

start().catch((error: unknown) => {
  // the page without scripts stays
  console.error(error);
});
