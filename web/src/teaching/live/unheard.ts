/** How long a student has not heard the others, from what the server reports about the student's connection. */

/** Seconds before the hint appears: a hiccup is over by then, and a tutor still remembers the last sentence. */
export const NOTABLE_S = 3;

/**
 * Since when a student hears nothing, in seconds since 1970; undefined while sound arrives. `since` is the previous answer,
 * `lostAt` when the server lost the connection, and `cut` whether the server reports that nothing passes at present.
 */
export function unheardSince(
  since: number | undefined,
  { lostAt, cut, now }: { lostAt: number | undefined; cut: boolean; now: number },
): number | undefined {
  if (!cut && lostAt === undefined) return undefined;
  return Math.min(since ?? now, lostAt ?? now);
}
