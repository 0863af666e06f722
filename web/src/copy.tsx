// Text that a click copies, where the browser allows it.

import { useState } from "preact/hooks";

export function Copy({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState("");
  const copy = () =>
    navigator.clipboard
      .writeText(text)
      .then(() => setSaid("copied"))
      .catch(() => setSaid("the browser does not allow it: mark the text and copy it"));
  return (
    <>
      <button type="button" onClick={copy}>
        {label}
      </button>{" "}
      <span role="status">{said}</span>
    </>
  );
}
