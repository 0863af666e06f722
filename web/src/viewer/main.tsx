import { render } from "preact";
import { App } from "./app";
import { register } from "./codecs";
import { contents, Trouble } from "./server";

const NO_WEBGL =
  "This browser has no WebGL, by which the viewer draws. Switch on hardware acceleration in its settings, try another browser, or open the results in napari or Fiji: docs/viewing.md says how.";

function hasWebGl() {
  const canvas = document.createElement("canvas");
  return Boolean(canvas.getContext("webgl2") ?? canvas.getContext("webgl"));
}

function Message({ text }: { text: string }) {
  return (
    <main class="message">
      <h1>tilewise</h1>
      <p role="alert">{text}</p>
    </main>
  );
}

async function start() {
  const place = document.getElementById("app");
  if (!place) return;
  try {
    if (!hasWebGl()) throw new Trouble(NO_WEBGL);
    register();
    const known = await contents();
    place.replaceChildren();
    render(<App contents={known} />, place);
  } catch (error) {
    if (!(error instanceof Trouble)) console.error(error);
    place.replaceChildren();
    render(<Message text={error instanceof Error ? error.message : String(error)} />, place);
  }
}

void start();
