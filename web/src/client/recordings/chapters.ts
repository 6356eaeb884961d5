/** Typed values of `/api/v1` for the chapters of a recording. Times are seconds of the recording. */
import type { Caller } from '../classroom/call';
import { fieldsOf, listOf, numberOf, textOf } from '../json';

export interface Chapter {
  /** What begins: `start`, `slide`, `scene`, `board` or `topic`. */
  kind: string;
  startS: number;
  endS: number;
  /** Empty if nothing is known but a slide. */
  title: string;
  /** Page of the slides, from 1; 0: no slide begins. */
  page: number;
}

function readChapter(value: unknown): Chapter {
  const fields = fieldsOf(value);
  return {
    kind: textOf(fields['kind']),
    startS: numberOf(fields['start_s']) ?? 0,
    endS: numberOf(fields['end_s']) ?? 0,
    title: textOf(fields['title']),
    page: numberOf(fields['page']) ?? 0,
  };
}

/** The chapters of a recording, without holes, the first from its start. */
export async function chaptersOf(caller: Caller, recording: string): Promise<Chapter[]> {
  const fields = await caller.get(`/recordings/${encodeURIComponent(recording)}/chapters`);
  return listOf(fields['data']).map(readChapter);
}
