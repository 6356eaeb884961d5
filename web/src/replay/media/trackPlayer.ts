/** One track in one media element, fed with segments through Media Source Extensions (W3C). */
import { DamagedError, type ReplayTrack, type Segment, type Shelf } from '../../client/recordings/replay';
import { JOINED_S, reachable, Rows, shownTime, type Found, type Span } from './rows';

/** Seconds loaded ahead of the current time, and kept behind it. */
const AHEAD_S = 20;
const BEHIND_S = 30;
// The first request after a jump is small, so that the picture appears soon.
const FIRST_OCTETS = 300_000;
const MOST_OCTETS = 2_000_000;
/** With a larger deviation from the clock, the element jumps; with a smaller one, it runs slightly faster or slower. */
const JUMP_S = 0.25;
// Longer than any recording: with a shorter duration, the element could not seek to times that are not buffered yet.
const DURATION_S = 1_000_000;
const RETRY_MS = 1000;
/** Interval of requests for new segments of a growing track. */
const GROW_MS = 2000;

export class TrackPlayer {
  readonly element: HTMLMediaElement;
  private readonly rows = new Rows();
  private readonly source = new MediaSource();
  private readonly inits = new Map<number, ArrayBuffer>();
  private readonly appended = new Set<number>();
  private buffer: SourceBuffer | undefined;
  private part = 0;
  private mimeType = '';
  private wantedS = 0;
  private active = false;
  private working = false;
  private abort = new AbortController();
  private askedAt = -Infinity;
  private pausedUntil = 0;
  /** One of several requested segments is damaged; single requests find out which. */
  private single = false;
  /** Why the track cannot be played; empty while it can. */
  problem = '';

  constructor(
    private track: ReplayTrack,
    private readonly shelf: Shelf,
    private readonly onChange: () => void,
  ) {
    this.element = document.createElement(track.kind);
    if (track.kind === 'video') {
      this.element.muted = true;
      (this.element as HTMLVideoElement).playsInline = true;
    }
    this.element.preservesPitch = true;
    this.element.addEventListener('seeked', onChange);
    this.element.addEventListener('canplay', onChange);
    this.element.src = URL.createObjectURL(this.source);
    this.source.addEventListener(
      'sourceopen',
      () => {
        URL.revokeObjectURL(this.element.src);
        this.source.duration = DURATION_S;
        void this.work();
      },
      { once: true },
    );
  }

  get description(): ReplayTrack {
    return this.track;
  }

  /** Apply the server's current data about a growing track. */
  update(track: ReplayTrack): void {
    this.track = track;
  }

  /** The state of the track at a time, without loading anything. */
  at(timeS: number): Found {
    if (this.problem !== '') return { kind: 'gap', reason: 'undecodable', nextS: undefined };
    if (timeS < this.track.startS - 0.5) return { kind: 'gap', reason: '', nextS: this.track.startS };
    return this.rows.at(timeS);
  }

  /** Whether the element can show a time now. */
  ready(timeS: number): boolean {
    return !this.element.seeking && this.element.readyState >= 2 && this.covers(timeS);
  }

  /** Load the segments around a time; for `growing` tracks, request new segments at their end. */
  want(timeS: number, growing: boolean): void {
    const jumped = Math.abs(timeS - this.wantedS) > 2;
    this.wantedS = timeS;
    this.active = true;
    if (jumped && this.working && !this.covers(timeS)) {
      this.abort.abort();
      this.abort = new AbortController();
    }
    if (growing && this.rows.end !== undefined && performance.now() - this.askedAt > GROW_MS) {
      this.askedAt = performance.now();
      void this.grow(this.rows.end);
    }
    void this.work();
  }

  /** Show a time, either running at a rate or paused. */
  follow(timeS: number, rate: number, running: boolean): void {
    const { element } = this;
    const found = this.at(timeS);
    const shown = found.kind === 'segment';
    if (!shown || !running) {
      if (!element.paused) element.pause();
    }
    if (!shown) return;
    const toS = reachable(this.loaded(), shownTime(found, timeS));
    const offS = element.currentTime - toS;
    if (Math.abs(offS) > (running || element.seeking ? JUMP_S : 0.02)) element.currentTime = toS;
    if (!running || !this.covers(timeS)) return;
    const nudge = Math.abs(offS) < 0.03 ? 0 : Math.max(-0.05, Math.min(0.05, offS / 2));
    const wanted = rate * (1 - nudge);
    if (Math.abs(element.playbackRate - wanted) > 0.01) element.playbackRate = wanted;
    if (element.paused) element.play().catch(() => undefined);
  }

  /** Load and play nothing until the next `want`. */
  rest(): void {
    this.active = false;
    if (!this.element.paused) this.element.pause();
  }

  private loaded(): Span[] {
    const { buffered } = this.element;
    return Array.from(
      { length: buffered.length },
      (_none, i) => [buffered.start(i), buffered.end(i)] as const,
    );
  }

  private covers(timeS: number): boolean {
    // The first frame of a segment may begin a little after the boundary.
    return this.loaded().some(([startS, endS]) => startS - JOINED_S <= timeS && timeS < endS);
  }

  /** Load until nothing is missing, one request after another. */
  private async work(): Promise<void> {
    if (this.working || this.source.readyState !== 'open' || performance.now() < this.pausedUntil) return;
    this.working = true;
    try {
      while (this.active && this.problem === '' && (await this.step(this.abort.signal))) this.onChange();
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'AbortError')) {
        this.pausedUntil = performance.now() + RETRY_MS;
      }
    } finally {
      this.working = false;
    }
  }

  /** Perform the most urgent step; false if there is none. */
  private async step(signal: AbortSignal): Promise<boolean> {
    const timeS = Math.max(this.wantedS, this.track.startS);
    if (this.rows.at(timeS).kind === 'unknown') {
      this.rows.add(await this.shelf.segments(this.track.number, { atS: timeS }, signal), undefined);
      if (this.rows.at(timeS).kind === 'unknown') throw new Error('the index has a hole');
      return true;
    }
    const run = this.rows.run(timeS, timeS + AHEAD_S);
    const missing = run.filter(({ index }) => !this.appended.has(index));
    const first = missing[0];
    if (first === undefined) return this.more(run.at(-1), timeS, signal);
    // Earlier segments are only needed for decoding; all segments up to the time are in the first request.
    const limit = this.covers(timeS) ? MOST_OCTETS : FIRST_OCTETS;
    const group = this.single ? [first] : joined(missing, limit, timeS);
    const last = group.at(-1) ?? first;
    let data: ArrayBuffer;
    try {
      data = await this.shelf.octets(
        this.track.number,
        first.part,
        first.offset,
        last.offset + last.length - first.offset,
        signal,
      );
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      if (first === last) this.rows.exclude(first.index);
      this.single = first !== last;
      return true;
    }
    await this.begin(first.part, signal);
    await this.append(data);
    for (const { index } of group) this.appended.add(index);
    await this.forget();
    return true;
  }

  /** Load more of the index if its loaded part ends within the range to load. */
  private async more(last: Segment | undefined, timeS: number, signal: AbortSignal): Promise<boolean> {
    if (last === undefined || last.endS > timeS + AHEAD_S) return false;
    const index = last.index + 1;
    if (this.rows.get(index) !== undefined || (this.rows.end !== undefined && index >= this.rows.end)) {
      return false;
    }
    this.rows.add(await this.shelf.segments(this.track.number, { index }, signal), index);
    return this.rows.get(index) !== undefined;
  }

  private async grow(index: number): Promise<void> {
    try {
      const page = await this.shelf.segments(this.track.number, { index }, this.abort.signal);
      this.rows.add(page, index);
      if (page.segments.length > 0) void this.work();
    } catch {
      // Requested again at the next tick.
    }
  }

  /** Append the initialisation segment of a part, unless the last segment was of the same part. */
  private async begin(number: number, signal: AbortSignal): Promise<void> {
    if (this.part === number) return;
    const part = this.track.parts.find((each) => each.number === number);
    if (part === undefined) throw new Error('the part is not known yet');
    if (!MediaSource.isTypeSupported(part.mimeType)) {
      this.problem = part.mimeType;
      throw new Error('unsupported');
    }
    let init = this.inits.get(number);
    if (init === undefined) {
      try {
        init = await this.shelf.octets(this.track.number, number, 0, part.initOctets, signal);
      } catch (error) {
        if (error instanceof DamagedError) this.problem = part.mimeType;
        throw error;
      }
      this.inits.set(number, init);
    }
    if (this.buffer === undefined) this.buffer = this.source.addSourceBuffer(part.mimeType);
    else if (this.mimeType !== part.mimeType) this.buffer.changeType(part.mimeType);
    this.mimeType = part.mimeType;
    await this.append(init);
    this.part = number;
  }

  private async append(data: ArrayBuffer): Promise<void> {
    const { buffer } = this;
    if (buffer === undefined) return;
    try {
      buffer.appendBuffer(data);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'QuotaExceededError')) throw error;
      await this.forget(1);
      buffer.appendBuffer(data);
    }
    await this.updated(buffer);
  }

  private async updated(buffer: SourceBuffer): Promise<void> {
    await new Promise<void>((done, fail) => {
      buffer.addEventListener('updateend', () => done(), { once: true });
      buffer.addEventListener(
        'error',
        () => {
          this.problem = this.mimeType;
          fail(new Error('the browser cannot decode it'));
        },
        { once: true },
      );
    });
  }

  /** Remove media far behind the time, or far ahead after a jump. */
  private async forget(behindS = BEHIND_S): Promise<void> {
    const { buffer } = this;
    if (buffer === undefined) return;
    const { buffered } = this.element;
    // Removal continues up to the next keyframe (Media Source Extensions, 3.5.9), so it has to end at one.
    const fromS = this.rows.run(this.wantedS - behindS, this.wantedS)[0]?.startS ?? 0;
    const untilS = this.wantedS + 3 * AHEAD_S;
    for (let i = buffered.length - 1; i >= 0; i -= 1) {
      const [start, end] = [buffered.start(i), buffered.end(i)];
      if (end > untilS) await this.remove(buffer, Math.max(start, untilS), end);
      else if (start < fromS - 10) await this.remove(buffer, start, Math.min(end, fromS));
    }
  }

  private async remove(buffer: SourceBuffer, startS: number, endS: number): Promise<void> {
    if (endS <= startS) return;
    buffer.remove(startS, endS);
    await this.updated(buffer);
    for (const index of this.appended) {
      const segment = this.rows.get(index);
      if (segment !== undefined && segment.startS < endS && segment.endS > startS)
        this.appended.delete(index);
    }
  }
}

/** The first segments of a list that are contiguous in one part: all up to a time, then more up to a size. */
export function joined(segments: readonly Segment[], mostOctets: number, timeS: number): Segment[] {
  const group: Segment[] = [];
  let octets = 0;
  for (const each of segments) {
    const last = group.at(-1);
    const follows =
      last === undefined || (each.part === last.part && each.offset === last.offset + last.length);
    octets += each.length;
    if (!follows || (last !== undefined && octets > mostOctets && each.startS > timeS)) break;
    group.push(each);
  }
  return group;
}
