/** The schedule by which a page that lost its lesson rejoins automatically. */

// A server restarts in about two seconds; the first attempt is as early as that can be. Everybody in a room is cut off at
// the same moment, so the attempts are spread over half of each delay.
const FIRST_MS = 1000;
const LONGEST_MS = 15_000;
// About a quarter of an hour.
const ATTEMPTS = 70;

/** How long to wait before an attempt, counted from 0; undefined to give up. `random` is from 0 to 1. */
export function returnDelayMs(attempt: number, random: number): number | undefined {
  if (attempt >= ATTEMPTS) return undefined;
  const delay = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return delay / 2 + (random * delay) / 2;
}
