/** Reads the browser's statistics of a room every two seconds and reports when the verdict on the network changes. */
import { RoomEvent, type Room } from 'livekit-client';

import {
  figuresBetween,
  judge,
  readCounters,
  summary,
  type Counters,
  type NetworkFigures,
  type StatsEntry,
  type Verdict,
} from './stats';

/** daily-js's own interval. */
const INTERVAL_MS = 2000;
/** Daily judges the network by the last half minute. */
const WINDOW = 15;

export class NetworkWatch {
  private current: Verdict = { state: 'unknown', reasons: [] };
  private readonly window: NetworkFigures[] = [];
  private before: Counters | undefined;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(
    private readonly room: Room,
    private readonly onVerdict: (verdict: Verdict) => void = () => undefined,
  ) {
    this.timer = setInterval(() => void this.measure(), INTERVAL_MS);
    room.once(RoomEvent.Disconnected, () => this.stop());
  }

  /** The result of daily-js's `getNetworkStats`. */
  figures(): Record<string, unknown> {
    return summary(this.window);
  }

  /** The values of the last two seconds; empty before the first. */
  latest(): Readonly<Record<string, unknown>> {
    return { ...this.window.at(-1) };
  }

  verdict(): Verdict {
    return this.current;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async measure(): Promise<void> {
    const now = readCounters(await reports(this.room), Date.now());
    const { before } = this;
    this.before = now;
    if (before === undefined) return;
    this.window.push(figuresBetween(before, now));
    if (this.window.length > WINDOW) this.window.shift();
    const verdict = judge(this.window);
    if (verdict.state === this.current.state && verdict.reasons.join() === this.current.reasons.join())
      return;
    this.current = verdict;
    this.onVerdict(verdict);
  }
}

async function reports(room: Room): Promise<Iterable<readonly [string, StatsEntry]>[]> {
  const tracks = [room.localParticipant, ...room.remoteParticipants.values()].flatMap((participant) =>
    [...participant.trackPublications.values()].flatMap(({ track }) => track ?? []),
  );
  const found = await Promise.all(tracks.map((track) => track.getRTCStatsReport().catch(() => undefined)));
  return found.filter((report) => report !== undefined) as Iterable<readonly [string, StatsEntry]>[];
}
