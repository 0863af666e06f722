import type { Value } from "./data";

export const NOTHING = "–";

/** Three digits after the point; whole numbers as they are. */
export function short(value: Value | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return NOTHING;
  if (Number.isInteger(value) && Math.abs(value) > 1) return value.toLocaleString("en");
  return (Number(value.toFixed(digits)) + 0).toFixed(digits);
}

export const count = (value: Value | undefined) =>
  value === null || value === undefined ? NOTHING : Math.round(value).toLocaleString("en");

/** What a score is called where it could be taken for more than it is. */
export function estimateInWords(estimate: string): string {
  if (estimate === "resubstitution") return "too high: tuned on these tiles";
  if (estimate === "fixed") return "fixed parameters";
  return estimate;
}
