/** Typed values of `/api/v1` for the notes of a recording. Times are seconds of the recording. */
import type { Caller } from '../classroom/call';
import { fieldsOf, listOf, numberOf, textOf } from '../json';

export interface Note {
  atS: number;
  /** Empty if a model wrote it. */
  person: string;
  text: string;
  /** A language model wrote it; otherwise it is a sentence that was said. */
  byModel: boolean;
}

export interface ChapterNotes {
  startS: number;
  title: string;
  notes: readonly Note[];
}

function readNote(value: unknown): Note {
  const fields = fieldsOf(value);
  return {
    atS: numberOf(fields['at_s']) ?? 0,
    person: textOf(fields['person']),
    text: textOf(fields['text']),
    byModel: fields['origin'] === 'model',
  };
}

/** The notes of a recording, chapter by chapter; without a transcript there are none. */
export async function notesOf(caller: Caller, recording: string): Promise<ChapterNotes[]> {
  const found = await caller.get(`/recordings/${encodeURIComponent(recording)}/notes`);
  return listOf(found['data'])
    .map(fieldsOf)
    .map((fields) => ({
      startS: numberOf(fields['start_s']) ?? 0,
      title: textOf(fields['title']),
      notes: listOf(fields['notes']).map(readNote),
    }));
}
