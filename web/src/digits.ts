// Numbers of the report: those just below 1 have the digits that tell them from it.

import type { Value } from "./data";
import { NOTHING, short as plain } from "./format";

const MOST_DIGITS = 6;

/** Digits of a number that is below 1, and would be written as 1 with fewer; beyond six, all are alike. */
function besideOne(value: Value | undefined, digits: number): number {
  if (value === null || value === undefined || value >= 1) return digits;
  let more = digits;
  while (more < MOST_DIGITS && Number(value.toFixed(more)) >= 1) more++;
  return more;
}

/** Three digits after the point, more just below 1; whole numbers as they are. */
export const short = (value: Value | undefined, digits = 3) => plain(value, besideOne(value, digits));

export const percent = (value: Value | undefined, digits = 2) =>
  value === null || value === undefined
    ? NOTHING
    : `${(100 * value).toFixed(besideOne(value, digits + 2) - 2)}%`;

export const interval = (low: Value | undefined, high: Value | undefined, write = short) =>
  low === null || low === undefined || high === null || high === undefined
    ? NOTHING
    : `${write(low)} to ${write(high)}`;
