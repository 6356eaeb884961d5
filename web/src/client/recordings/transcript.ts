/** Typed values of `/api/v1` for transcripts. Times are seconds of the recording. */
import type { Caller } from '../classroom/call';
import { fieldsOf, listOf, numberOf, textOf } from '../json';

export interface SpokenLine {
  person: string;
  startS: number;
  endS: number;
  text: string;
  /** Start, end and text of each word. */
  words: readonly (readonly [number, number, string])[];
}

export interface Hit {
  recording: string;
  title: string;
  person: string;
  atS: number;
  text: string;
}

function readLine(value: unknown): SpokenLine {
  const fields = fieldsOf(value);
  return {
    person: textOf(fields['person']),
    startS: numberOf(fields['start_s']) ?? 0,
    endS: numberOf(fields['end_s']) ?? 0,
    text: textOf(fields['text']),
    words: listOf(fields['words'])
      .map(listOf)
      .map((word) => [numberOf(word[0]) ?? 0, numberOf(word[1]) ?? 0, textOf(word[2])] as const),
  };
}

function readHit(value: unknown): Hit {
  const fields = fieldsOf(value);
  return {
    recording: textOf(fields['recording']),
    title: textOf(fields['title']),
    person: textOf(fields['person']),
    atS: numberOf(fields['at_s']) ?? 0,
    text: textOf(fields['text']),
  };
}

export const transcripts = {
  /** What was said in a recording; empty while there is no transcript. */
  async lines(caller: Caller, recording: string): Promise<SpokenLine[]> {
    const fields = await caller.get(`/recordings/${encodeURIComponent(recording)}/transcript`);
    return listOf(fields['lines']).map(readLine);
  },

  /** The lines with all these words, in everything that the caller may watch. */
  async search(caller: Caller, words: string): Promise<Hit[]> {
    const query = new URLSearchParams({ q: words });
    return listOf((await caller.get(`/transcripts?${query.toString()}`))['data']).map(readHit);
  },
};
