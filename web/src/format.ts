import type { Value } from "./data";

const MOST_DIGITS = 6;

export const NOTHING = "–";

/** Three digits after the point, more just below 1; whole numbers as they are. */
export function short(value: Value | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return NOTHING;
  if (Number.isInteger(value) && Math.abs(value) > 1) return value.toLocaleString("en");
  const kept = besideOne(value, digits);
  // no minus before zero
  return (Number(value.toFixed(kept)) + 0).toFixed(kept);
}

/** Digits of a number that is below 1, and would be written as 1 with fewer; beyond six, all are alike. */
function besideOne(value: number, digits: number): number {
  if (value >= 1) return digits;
  let more = digits;
  while (more < MOST_DIGITS && Number(value.toFixed(more)) >= 1) more++;
  return more;
}

export const count = (value: Value | undefined) =>
  value === null || value === undefined ? NOTHING : Math.round(value).toLocaleString("en");

export const percent = (value: Value | undefined, digits = 2) =>
  value === null || value === undefined ? NOTHING : `${(100 * value).toFixed(besideOne(value, digits + 2) - 2)}%`;

export const interval = (low: Value | undefined, high: Value | undefined, write = short) =>
  low === null || low === undefined || high === null || high === undefined
    ? NOTHING
    : `${write(low)} to ${write(high)}`;

/** What a score is called where it could be taken for more than it is. */
export function estimateInWords(estimate: string): string {
  if (estimate === "resubstitution") return "too high: tuned on these tiles";
  if (estimate === "fixed") return "fixed parameters";
  return estimate;
}
