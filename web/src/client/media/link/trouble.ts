/** Detects within three seconds that nothing is received any more, long before the client library gives the connection up. */

/** The amount that a peer connection has received, from the browser's statistics of its nominated candidate pair. */
export interface Arrival {
  atMs: number;
  /** Media and RTCP. */
  bytes: number;
  /** STUN responses to the browser's own checks. */
  responses: number;
}

// Media and RTCP are received every half second while anything is sent or received. Afterwards, Chromium's own checks,
// every 2.5 s, show that the connection works.
const MEDIA_SILENCE_MS = 2600;
// Without media there are only checks; Firefox makes them every 5 s.
const CHECK_SILENCE_MS = 12_000;
// Media counts as flowing for this long after it was received.
const FLOW_MS = 5000;

/** Stores the time of the last received packet. */
export class ArrivalWatch {
  private last: Arrival | undefined;
  private bytesAtMs: number | undefined;
  private anythingAtMs: number | undefined;
  private flowing = false;

  /** Process the next reading; return whether the connection has stalled. */
  stalled(now: Arrival): boolean {
    const { last } = this;
    this.last = now;
    // Counters start again when a connection is replaced.
    if (last === undefined || now.bytes < last.bytes || now.responses < last.responses) {
      [this.bytesAtMs, this.anythingAtMs, this.flowing] = [undefined, now.atMs, false];
      return false;
    }
    if (now.bytes > last.bytes) {
      this.flowing = this.bytesAtMs !== undefined && now.atMs - this.bytesAtMs <= FLOW_MS;
      this.bytesAtMs = now.atMs;
      this.anythingAtMs = now.atMs;
    } else if (now.responses > last.responses) {
      this.anythingAtMs = now.atMs;
      // The path works: nobody sends anything.
      this.flowing = false;
    }
    const silentMs = now.atMs - (this.anythingAtMs ?? now.atMs);
    return silentMs >= (this.flowing ? MEDIA_SILENCE_MS : CHECK_SILENCE_MS);
  }
}

/** Read the received amounts from a report; undefined without a nominated candidate pair. */
export function readArrival(
  report: Iterable<readonly [string, Readonly<Record<string, unknown>>]>,
  atMs: number,
): Arrival | undefined {
  for (const [, entry] of report) {
    if (entry['type'] !== 'candidate-pair' || entry['nominated'] !== true) continue;
    return { atMs, bytes: count(entry['bytesReceived']), responses: count(entry['responsesReceived']) };
  }
  return undefined;
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
