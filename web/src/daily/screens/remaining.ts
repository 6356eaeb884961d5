/** As Daily's page: the end is announced in the last five minutes. */
export const ANNOUNCED_MS = 5 * 60_000;

/** What a clock that runs down shows; undefined where there is nothing to announce yet. */
export function remaining(ms: number): string | undefined {
  if (ms > ANNOUNCED_MS) return undefined;
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
