/** The loaded part of a track's index: pages of segments around the watched times. */
import type { Gap, Segment, SegmentPage } from '../../client/recordings/replay';

/** A shorter hole is a boundary between segments, not a gap. */
export const JOINED_S = 0.15;

export type Found =
  | { kind: 'segment'; segment: Segment }
  /** Nothing was recorded; the track continues at `nextS`, undefined at its end. */
  | { kind: 'gap'; reason: string; nextS: number | undefined }
  /** This part of the index has not been loaded. */
  | { kind: 'unknown' };

/** The element's time for a moment: not before the first frame of a segment, where the element would wait for ever. */
export function shownTime(found: Found, timeS: number): number {
  return found.kind === 'segment' ? Math.max(timeS, found.segment.startS) : timeS;
}

/** A span of loaded media: its start and end in seconds. */
export type Span = readonly [startS: number, endS: number];

/**
 * The element's time for a moment that lies in a short hole of what is loaded: the nearest loaded time. Firefox waits for
 * ever at the others, which lie between two frames that came far from each other.
 */
export function reachable(loaded: readonly Span[], timeS: number): number {
  let nearest = timeS;
  let distance = JOINED_S;
  for (const [startS, endS] of loaded) {
    if (startS <= timeS && timeS < endS) return timeS;
    const candidate = timeS < startS ? startS : endS - 0.001;
    if (Math.abs(candidate - timeS) < distance) {
      nearest = candidate;
      distance = Math.abs(candidate - timeS);
    }
  }
  return nearest;
}

export class Rows {
  private readonly byIndex = new Map<number, Segment>();
  private readonly gaps = new Map<number, Gap>();
  private readonly damaged = new Set<number>();
  /** Indices of the loaded segments, ascending. */
  private order: number[] = [];
  /** Number of segments, once the end of the index has been loaded. */
  private count: number | undefined;

  /** Add a page. The number of a track's segments never decreases. */
  add(page: SegmentPage, from: number | undefined): void {
    for (const segment of page.segments) this.byIndex.set(segment.index, segment);
    for (const gap of page.gaps) this.gaps.set(gap.startS, gap);
    this.order = [...this.byIndex.keys()].sort((a, b) => a - b);
    const last = page.segments.at(-1);
    if (page.more) {
      if (last !== undefined && this.count !== undefined && last.index >= this.count) this.count = undefined;
    } else if (last !== undefined) this.count = last.index + 1;
    else if (from !== undefined) this.count = from;
    else this.count ??= (this.order.at(-1) ?? -1) + 1;
  }

  get(index: number): Segment | undefined {
    return this.byIndex.get(index);
  }

  /** Exclude a segment that is damaged on the server, with those that need it for decoding. */
  exclude(index: number): void {
    this.damaged.add(index);
  }

  /** The index at which the next segments of a growing track will appear. */
  get end(): number | undefined {
    return this.count;
  }

  /** The state of the track at a time. */
  at(timeS: number): Found {
    const before = this.lastBefore(timeS);
    if (before !== undefined && timeS < before.endS) return this.shown(before);
    const next = this.byIndex.get(before === undefined ? 0 : before.index + 1);
    if (next === undefined) {
      const over =
        before === undefined ? this.count === 0 : this.count !== undefined && before.index + 1 >= this.count;
      return over ? this.gap(timeS, undefined) : { kind: 'unknown' };
    }
    if (next.startS - timeS < JOINED_S) return this.shown(next);
    if (next.startS <= timeS) return { kind: 'unknown' };
    return this.gap(timeS, next.startS);
  }

  /** The segments to append in order to show a time and the following seconds: from a keyframe on, without a hole. */
  run(timeS: number, untilS: number): Segment[] {
    const found = this.at(timeS);
    let first: Segment | undefined;
    if (found.kind === 'segment') first = found.segment;
    else if (found.kind === 'gap' && found.nextS !== undefined && found.nextS < untilS) {
      first = this.firstFrom(found.nextS);
    }
    if (first === undefined) return [];
    while (!first.keyframe) {
      const previous = this.byIndex.get(first.index - 1);
      if (previous === undefined || this.isBroken(previous)) break;
      first = previous;
    }
    const wanted: Segment[] = [];
    for (let each: Segment | undefined = first; each !== undefined && each.startS < untilS;) {
      if (!this.isBroken(each)) wanted.push(each);
      each = this.byIndex.get(each.index + 1);
    }
    return wanted;
  }

  private shown(segment: Segment): Found {
    if (!this.isBroken(segment)) return { kind: 'segment', segment };
    let next: Segment | undefined = segment;
    while (next !== undefined && this.isBroken(next)) next = this.byIndex.get(next.index + 1);
    return { kind: 'gap', reason: 'undecodable', nextS: next?.startS };
  }

  /** Whether a segment, or one that is needed to decode it, is damaged. */
  private isBroken(segment: Segment): boolean {
    if (this.damaged.size === 0) return false;
    for (
      let each: Segment | undefined = segment;
      each !== undefined;
      each = this.byIndex.get(each.index - 1)
    ) {
      if (this.damaged.has(each.index)) return true;
      if (each.keyframe) return false;
    }
    return false;
  }

  private gap(timeS: number, nextS: number | undefined): Found {
    const known = [...this.gaps.values()].find(({ startS, endS }) => startS <= timeS + 0.01 && timeS < endS);
    return { kind: 'gap', reason: known?.reason ?? '', nextS };
  }

  private lastBefore(timeS: number): Segment | undefined {
    const index = this.bisect(timeS) - 1;
    const found = index < 0 ? undefined : this.order[index];
    return found === undefined ? undefined : this.byIndex.get(found);
  }

  private firstFrom(timeS: number): Segment | undefined {
    const found = this.order[this.bisect(timeS - 0.001)];
    return found === undefined ? undefined : this.byIndex.get(found);
  }

  /** Number of loaded segments that begin at or before a time. */
  private bisect(timeS: number): number {
    let [low, high] = [0, this.order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const segment = this.byIndex.get(this.order[middle] ?? -1);
      if (segment !== undefined && segment.startS <= timeS) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
