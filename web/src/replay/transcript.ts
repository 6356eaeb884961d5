/** What was said, by time: pure functions over the lines of a transcript, which are in the order of time. */
import type { SpokenLine } from '../client/recordings/transcript';

/** Index of the line being spoken at a time, or of the last one before; -1 before the first. */
export function lineAt(lines: readonly SpokenLine[], timeS: number): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle]?.startS ?? Infinity) <= timeS) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export interface Caption {
  person: string;
  text: string;
}

/** Two rows of 42 characters. */
const MAX_CHARS = 84;
/** A caption stays a moment after its last word. */
const STAYS_S = 1;
/** Lines that may overlap, when people speak at the same time. */
const LOOKED_AT = 4;

/** The captions at a time, one for each person who is speaking. */
export function captionsAt(lines: readonly SpokenLine[], timeS: number): Caption[] {
  const last = lineAt(lines, timeS);
  const found = new Map<string, Caption>();
  for (const line of lines.slice(Math.max(last - LOOKED_AT, 0), last + 1)) {
    if (timeS > line.endS + STAYS_S) continue;
    found.set(line.person, { person: line.person, text: shownOf(line, timeS) });
  }
  return [...found.values()];
}

/** The part of a long line that contains the words spoken at a time. */
function shownOf(line: SpokenLine, timeS: number): string {
  let part: string[] = [];
  let chars = 0;
  let shown = '';
  for (const [startS, , word] of line.words) {
    if (part.length > 0 && chars + word.length > MAX_CHARS) {
      if (startS > timeS) break;
      part = [];
      chars = 0;
    }
    part.push(word);
    chars += word.length + 1;
    shown = part.join(' ');
  }
  return shown === '' ? line.text : shown;
}

export interface Silence {
  startS: number;
  endS: number;
}

/** Shorter pauses belong to speech. */
const MIN_SILENCE_S = 3;
/** Of a silence, this much is played at its beginning and at its end. */
const KEPT_S = 0.5;

/** The times in which nobody speaks, without a moment at both ends. */
export function silences(lines: readonly SpokenLine[], lengthS: number): Silence[] {
  const found: Silence[] = [];
  let quietFromS = 0;
  const add = (endS: number): void => {
    if (endS - quietFromS >= MIN_SILENCE_S) {
      found.push({ startS: quietFromS + KEPT_S, endS: endS - KEPT_S });
    }
  };
  for (const { startS, endS } of lines) {
    add(startS);
    quietFromS = Math.max(quietFromS, endS);
  }
  if (lines.length > 0) add(lengthS);
  return found;
}

/** The end of the silence at a time; undefined while somebody speaks. */
export function silentUntil(found: readonly Silence[], timeS: number): number | undefined {
  return found.find(({ startS, endS }) => timeS >= startS && timeS < endS)?.endS;
}
