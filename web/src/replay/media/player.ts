/** Plays a recording: all tracks on one clock, with the pictures of the scene. */
import { Shelf, type Mark, type ReplayTrack, type Viewing } from '../../client/recordings/replay';
import { serverPath } from '../../client/server/base';
import { Store, type Readable } from '../../client/store';
import { arrange, sceneAt, speakerOf, type Arrangement, type Candidate } from '../scene';
import { silentUntil, type Silence } from '../transcript';
import { Clock } from './clock';
import { Loudness } from './loudness';
import { TrackPlayer } from './trackPlayer';

export interface PlayerState {
  timeS: number;
  lengthS: number;
  playing: boolean;
  /** Playback waits for data. */
  loading: boolean;
  live: boolean;
  rate: number;
  arrangement: Arrangement;
  /** Why the large track has no picture; undefined while it has one. */
  gap: string | undefined;
  speaker: string;
  /** Jump over times in which nobody speaks. */
  skipsSilence: boolean;
  /** Length of the last skipped gap, in seconds; 0: none. */
  skippedS: number;
  /** A track cannot be played. */
  problem: boolean;
}

const TICK_MS = 100;
const PROGRESS_MS = 4000;
/** A shorter time without any media is played as silence. */
const SKIPPED_S = 2;
// After this long, playback continues without the tracks that have no data.
const PATIENCE_MS = 5000;
/** Distance from the newest segment at which a live recording is played. */
const EDGE_S = 1;

export class Player {
  private readonly clock = new Clock();
  private readonly loudness = new Loudness();
  private readonly shelf: Shelf;
  private readonly tracks = new Map<number, TrackPlayer>();
  private readonly store: Store<PlayerState>;
  private marks: readonly Mark[] = [];
  private silences: readonly Silence[] = [];
  private heldSince: number | undefined;
  private timer: number | undefined;
  private askedAt = performance.now();

  constructor(
    viewing: Viewing,
    private readonly owner: string,
    startS: number,
  ) {
    this.shelf = new Shelf(viewing, serverPath);
    this.clock.jump(startS, performance.now());
    this.store = new Store<PlayerState>({
      timeS: startS,
      lengthS: lengthOf(viewing.tracks),
      playing: false,
      loading: true,
      live: viewing.recording.live,
      rate: 1,
      arrangement: { large: { kind: 'nothing' }, small: undefined },
      gap: undefined,
      speaker: '',
      skipsSilence: false,
      skippedS: 0,
      problem: false,
    });
    this.take(viewing.tracks);
  }

  get state(): Readable<PlayerState> {
    return this.store;
  }

  open(): void {
    this.timer = window.setInterval(this.tick, TICK_MS);
    this.tick();
  }

  /** Stop; the player can be opened again. */
  close(): void {
    window.clearInterval(this.timer);
    for (const track of this.tracks.values()) track.rest();
    this.loudness.stop();
  }

  /** The element of a video track. */
  element(number: number): HTMLMediaElement | undefined {
    return this.tracks.get(number)?.element;
  }

  track(number: number): ReplayTrack | undefined {
    return this.tracks.get(number)?.description;
  }

  setMarks(marks: readonly Mark[]): void {
    this.marks = marks;
  }

  setSilences(found: readonly Silence[]): void {
    this.silences = found;
  }

  setSkipsSilence(skipsSilence: boolean): void {
    this.store.update({ skipsSilence });
  }

  play(): void {
    this.loudness.start();
    for (const { element, description } of this.tracks.values()) {
      if (description.kind === 'audio') this.loudness.add(element, description.person);
    }
    const { timeS, lengthS, live } = this.store.snapshot();
    if (timeS >= lengthS - 0.2 && !live) this.jump(0);
    this.store.update({ playing: true });
    this.tick();
  }

  pause(): void {
    this.store.update({ playing: false });
    this.tick();
  }

  /** Jump to a time; missing data is loaded first. */
  jump(timeS: number): void {
    const { lengthS } = this.store.snapshot();
    const to = Math.max(0, Math.min(timeS, Math.max(lengthS - 0.1, 0)));
    const now = performance.now();
    this.clock.hold(now);
    this.clock.jump(to, now);
    this.heldSince = undefined;
    this.store.update({ timeS: to, skippedS: 0 });
    this.tick();
  }

  setRate(rate: number): void {
    this.clock.setRate(rate, performance.now());
    this.store.update({ rate });
  }

  private take(tracks: readonly ReplayTrack[]): void {
    for (const track of tracks) {
      const known = this.tracks.get(track.number);
      if (known !== undefined) known.update(track);
      else {
        const made = new TrackPlayer(track, this.shelf, this.soon);
        this.tracks.set(track.number, made);
        if (track.kind === 'audio' && this.store.snapshot().playing) {
          this.loudness.add(made.element, track.person);
        }
      }
    }
  }

  // Many tracks report changes at the same moment.
  private waiting = false;
  private readonly soon = (): void => {
    if (this.waiting) return;
    this.waiting = true;
    queueMicrotask(() => {
      this.waiting = false;
      this.tick();
    });
  };

  private readonly tick = (): void => {
    const now = performance.now();
    const before = this.store.snapshot();
    if (before.live && now - this.askedAt > PROGRESS_MS) {
      this.askedAt = now;
      void this.progress();
    }
    let timeS = this.clock.time(now);
    const endS = before.live ? before.lengthS - EDGE_S : before.lengthS;
    const ended = timeS >= endS;
    if (ended) timeS = Math.max(endS, 0);
    const speaker = before.playing ? speakerOf(this.loudness.levels(), before.speaker) : before.speaker;
    const arrangement = this.arrangement(timeS, speaker);
    const active = this.chosen(arrangement);
    for (const track of this.tracks.values()) {
      if (active.has(track)) track.want(timeS, before.live);
      else track.rest();
    }
    const late = [...active].filter((track) => this.isLate(track, timeS));
    const skippedS = late.length === 0 && before.playing ? this.skip(active, timeS, endS) : 0;
    if (skippedS > 0) timeS += skippedS;
    else if (before.playing && before.skipsSilence) timeS = silentUntil(this.silences, timeS) ?? timeS;
    const running = this.run(before.playing && !ended, late.length > 0, timeS, now);
    for (const track of active) track.follow(timeS, this.clock.rate, running);
    this.store.set({
      ...before,
      timeS,
      playing: before.playing && (!ended || before.live),
      loading: late.length > 0,
      arrangement,
      gap: this.gapOf(arrangement, timeS),
      speaker,
      skippedS: skippedS > 0 ? skippedS : before.skippedS,
      problem: [...this.tracks.values()].some(({ problem }) => problem !== ''),
    });
  };

  /** Run or stop the clock; return whether it runs. */
  private run(wanted: boolean, late: boolean, timeS: number, now: number): boolean {
    if (late) this.heldSince ??= now;
    else this.heldSince = undefined;
    const patient = this.heldSince === undefined || now - this.heldSince < PATIENCE_MS;
    const running = wanted && !(late && patient);
    if (!running) this.clock.hold(now);
    if (Math.abs(this.clock.time(now) - timeS) > 0.001) this.clock.jump(timeS, now);
    if (running) this.clock.run(now);
    return running;
  }

  private isLate(track: TrackPlayer, timeS: number): boolean {
    const found = track.at(timeS);
    return found.kind === 'unknown' || (found.kind === 'segment' && !track.ready(timeS));
  }

  /** The length of the jump if no track has media for a while; 0: no jump. */
  private skip(active: ReadonlySet<TrackPlayer>, timeS: number, endS: number): number {
    let nextS = endS;
    for (const track of active) {
      const found = track.at(timeS);
      if (found.kind !== 'gap') return 0;
      nextS = Math.min(nextS, found.nextS ?? endS);
    }
    return active.size > 0 && nextS - timeS > SKIPPED_S ? nextS - timeS : 0;
  }

  private arrangement(timeS: number, speaker: string): Arrangement {
    const candidates: Candidate[] = [];
    for (const track of this.tracks.values()) {
      const { number, kind, person, source, startS, endS } = track.description;
      if (kind !== 'video') continue;
      const inside = timeS >= startS - 0.5 && timeS < endS + 1;
      const found = track.at(timeS);
      const shown = !inside || found.kind === 'gap' ? false : found.kind === 'segment' ? true : undefined;
      candidates.push({ number, person, source, shown });
    }
    return arrange(sceneAt(this.marks, timeS), candidates, speaker, this.owner);
  }

  /** Load all voices, all screens (to detect when they appear), and the shown pictures. */
  private chosen({ large, small }: Arrangement): Set<TrackPlayer> {
    const found = new Set<TrackPlayer>();
    for (const track of this.tracks.values()) {
      const { number, kind, source } = track.description;
      const shown = number === small || (large.kind === 'track' && large.number === number);
      if (shown || kind === 'audio' || source === 'screen_share') found.add(track);
    }
    return found;
  }

  private gapOf({ large }: Arrangement, timeS: number): string | undefined {
    if (large.kind !== 'track') return large.kind === 'nothing' ? 'none' : undefined;
    const found = this.tracks.get(large.number)?.at(timeS);
    return found?.kind === 'gap' ? found.reason || 'none' : undefined;
  }

  private async progress(): Promise<void> {
    try {
      const { recording, tracks } = await this.shelf.progress();
      this.take(tracks);
      this.store.update({ live: recording.live, lengthS: lengthOf(tracks) });
    } catch {
      // Requested again after the next interval.
    }
  }
}

function lengthOf(tracks: readonly ReplayTrack[]): number {
  return tracks.reduce((longest, { endS }) => Math.max(longest, endS), 0);
}
