/** The marks of the log on the timeline and beside it: pure functions. */
import type { Chapter } from '../client/recordings/chapters';
import type { Mark, ReplayTrack } from '../client/recordings/replay';

/** Kinds of marks on the timeline, the most important first. */
export const MARKED = ['question', 'poll', 'slide', 'hand', 'chat', 'join', 'leave'] as const;
export type Marked = (typeof MARKED)[number];

export interface Bin {
  /** Time of the first of its marks. */
  atS: number;
  kind: Marked;
  marks: readonly Mark[];
}

const rank = (kind: string): number => MARKED.findIndex((each) => each === kind);

/** Merges marks that would overlap: at most `most` over the length of the timeline. */
export function binned(marks: readonly Mark[], lengthS: number, most: number): Bin[] {
  const widthS = Math.max(lengthS / most, 0.001);
  const bins = new Map<number, Mark[]>();
  for (const mark of marks) {
    if (rank(mark.kind) < 0 || mark.atS < 0 || mark.atS > lengthS) continue;
    const bin = Math.floor(mark.atS / widthS);
    bins.set(bin, [...(bins.get(bin) ?? []), mark]);
  }
  return [...bins.values()].map((found) => {
    const ordered = [...found].sort((a, b) => rank(a.kind) - rank(b.kind));
    const kind = MARKED[rank(ordered[0]?.kind ?? '')] ?? 'chat';
    return { atS: found[0]?.atS ?? 0, kind, marks: ordered };
  });
}

export interface Stretch {
  chapter: Chapter;
  /** Where it begins and how long it is, in percent of the timeline. */
  start: number;
  width: number;
  current: boolean;
}

/**
 * The chapters as stretches of the timeline, at most `most`: one that is too narrow to press is part of the one before.
 * None if there is only one.
 */
export function stretches(
  chapters: readonly Chapter[],
  timeS: number,
  lengthS: number,
  most: number,
): Stretch[] {
  const shown: Chapter[] = [];
  for (const chapter of chapters) {
    const earliest = (shown.at(-1)?.startS ?? -Infinity) + lengthS / most;
    if (chapter.startS < lengthS && chapter.startS >= earliest) shown.push(chapter);
  }
  if (shown.length < 2) return [];
  return shown.map((chapter, index) => {
    const endS = shown[index + 1]?.startS ?? lengthS;
    return {
      chapter,
      start: (100 * chapter.startS) / lengthS,
      width: (100 * (endS - chapter.startS)) / lengthS,
      current: chapter.startS <= timeS && (timeS < endS || index === shown.length - 1),
    };
  });
}

/** Lines of the log: chat and questions, including corrections made up to the time. */
export function written(marks: readonly Mark[], timeS: number): Mark[] {
  const lines = new Map<string, Mark>();
  for (const mark of marks) {
    if (mark.atS > timeS) break;
    if (mark.kind === 'chat_edited') {
      const line = lines.get(`chat ${mark.id}`);
      if (line !== undefined) lines.set(`chat ${mark.id}`, { ...line, text: mark.text });
    } else if (['chat', 'question', 'answer', 'poll'].includes(mark.kind)) {
      lines.set(`${mark.kind} ${mark.id}`, mark);
    }
  }
  return [...lines.values()];
}

/** Each person's latest name, by id. */
export function namesOf(marks: readonly Mark[]): Map<string, string> {
  const named = marks.filter(({ kind, text }) => (kind === 'join' || kind === 'name') && text !== '');
  return new Map(named.map(({ by, text }) => [by, text]));
}

/** The time in a URL, such as `#t=123` or `#t=1:02:03`; undefined if there is none. */
export function momentIn(hash: string): number | undefined {
  const text = new URLSearchParams(hash.replace(/^#/u, '')).get('t') ?? '';
  if (!/^\d+(:\d\d?){0,2}(\.\d+)?$/u.test(text)) return undefined;
  return text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** When the first picture is there, or the first sound where there is none: cameras begin a moment after the recording. */
export function firstPictureS(tracks: readonly Pick<ReplayTrack, 'kind' | 'startS'>[]): number {
  const videos = tracks.filter(({ kind }) => kind === 'video');
  const begins = (videos.length > 0 ? videos : tracks).map(({ startS }) => startS);
  return begins.length > 0 ? Math.max(0, Math.min(...begins)) : 0;
}
