/** Typed values of `/api/v1` for the whiteboard of a recorded session. Times are seconds of the recording. */
import type { Caller } from '../classroom/call';
import { fieldsOf, listOf, numberOf, textOf } from '../json';

export interface BoardEvent {
  /** Negative: before the recording began. */
  atS: number;
  kind: string;
  page: string;
  /** A Yjs update in base64, of `drawn`. */
  update: string;
}

export interface BoardEvents {
  events: BoardEvent[];
  upto: number;
  more: boolean;
}

function readEvent(value: unknown): BoardEvent {
  const fields = fieldsOf(value);
  return {
    atS: numberOf(fields['at_s']) ?? 0,
    kind: textOf(fields['kind']),
    page: textOf(fields['page']),
    update: textOf(fields['update']),
  };
}

/** What happened on the whiteboard, page by page, in the order of time. */
export async function boardOf(caller: Caller, recording: string, after: number): Promise<BoardEvents> {
  const query = new URLSearchParams({ after: String(after) });
  const fields = await caller.get(
    `/recordings/${encodeURIComponent(recording)}/whiteboard?${query.toString()}`,
  );
  return {
    events: listOf(fields['events']).map(readEvent),
    upto: numberOf(fields['upto']) ?? after,
    more: fields['more'] === true,
  };
}
