// The address holds what is shown, so that it can be copied to a colleague.

import { useEffect, useState } from "preact/hooks";

export const TABS = ["answer", "compare", "explore", "check", "reproduce"] as const;
export type Tab = (typeof TABS)[number];

export interface Address {
  tab: Tab;
  tile: string;
  metric: string;
  a: string;
  b: string;
  by: string;
  order: string;
  view: string;
}

const KEYS = ["tile", "a", "b", "metric", "by", "order", "view"] as const;

export function parse(hash: string): Address {
  const [name = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const given = new URLSearchParams(query);
  const tab = TABS.find((known) => known === name) ?? "answer";
  const read = (key: string) => given.get(key) ?? "";
  return {
    tab,
    tile: read("tile"),
    metric: read("metric"),
    a: read("a"),
    b: read("b"),
    by: read("by"),
    order: read("order"),
    view: read("view"),
  };
}

export function write(address: Address): string {
  const query = new URLSearchParams();
  for (const key of KEYS) if (address[key]) query.set(key, address[key]);
  const written = query.toString();
  return `#${address.tab}${written ? `?${written}` : ""}`;
}

/** What the address says, and how to change parts of it. */
export function useAddress(): [Address, (change: Partial<Address>) => void] {
  const [address, setAddress] = useState(() => parse(location.hash));
  useEffect(() => {
    const read = () => setAddress(parse(location.hash));
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  const change = (part: Partial<Address>) => {
    const next = { ...parse(location.hash), ...part };
    const written = write(next);
    if (written === location.hash) return;
    // a step back leads to what was read before, not through every tile
    if (part.tab && part.tab !== address.tab) location.hash = written;
    else history.replaceState(null, "", written);
    setAddress(next);
  };
  return [address, change];
}

/** A choice that lasts on this computer, where the browser lets it. */
export function useKept<T extends string>(key: string, first: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => {
    try {
      return (localStorage.getItem(`tilewise.${key}`) as T | null) ?? first;
    } catch {
      return first;
    }
  });
  return [
    value,
    (next) => {
      setValue(next);
      try {
        localStorage.setItem(`tilewise.${key}`, next);
      } catch {
        // private windows keep nothing
      }
    },
  ];
}
