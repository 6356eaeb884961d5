/** Typed values of `/api/v1` for recordings that can be watched. Times are seconds of the recording. */
import type { Caller } from '../classroom/call';
import { fieldsOf, listOf, numberOf, textOf, textsOf, type Fields } from '../json';

export interface ReplayRecording {
  id: string;
  /** The recording is in progress and grows. */
  live: boolean;
  /** Seconds since 1970. */
  startedAt: number;
  lengthS: number;
}

export interface ReplayPart {
  number: number;
  mimeType: string;
  initOctets: number;
}

export interface ReplayTrack {
  number: number;
  person: string;
  source: string;
  kind: 'audio' | 'video';
  label: string;
  startS: number;
  endS: number;
  parts: readonly ReplayPart[];
}

export interface Viewing {
  session: string;
  title: string;
  recording: ReplayRecording;
  url: string;
  token: string;
  tracks: readonly ReplayTrack[];
}

export interface Segment {
  index: number;
  part: number;
  offset: number;
  length: number;
  startS: number;
  endS: number;
  keyframe: boolean;
}

export interface Gap {
  startS: number;
  endS: number;
  reason: string;
}

export interface SegmentPage {
  segments: readonly Segment[];
  gaps: readonly Gap[];
  more: boolean;
}

export interface Mark {
  seq: number;
  atS: number;
  kind: string;
  by: string;
  id: string;
  text: string;
  page: number;
}

/** The requested media are damaged on the server; another request does not help. */
export class DamagedError extends Error {}

function readRecording(value: unknown): ReplayRecording {
  const fields = fieldsOf(value);
  return {
    id: textOf(fields['id']),
    live: fields['live'] === true,
    startedAt: numberOf(fields['started_at']) ?? 0,
    lengthS: numberOf(fields['length_s']) ?? 0,
  };
}

function readTrack(value: unknown): ReplayTrack {
  const fields = fieldsOf(value);
  return {
    number: numberOf(fields['number']) ?? 0,
    person: textOf(fields['person']),
    source: textOf(fields['source']),
    kind: fields['kind'] === 'video' ? 'video' : 'audio',
    label: textOf(fields['label']),
    startS: numberOf(fields['start_s']) ?? 0,
    endS: numberOf(fields['end_s']) ?? 0,
    parts: listOf(fields['parts'])
      .map(fieldsOf)
      .map((part) => ({
        number: numberOf(part['number']) ?? 0,
        mimeType: textOf(part['mime_type']),
        initOctets: numberOf(part['init_octets']) ?? 0,
      })),
  };
}

/** A page of segments; the server encodes segments and gaps as arrays. */
export function readSegments(fields: Fields): SegmentPage {
  const number = (row: readonly unknown[], at: number): number => numberOf(row[at]) ?? 0;
  return {
    segments: listOf(fields['segments'])
      .map(listOf)
      .map((row) => ({
        index: number(row, 0),
        part: number(row, 1),
        offset: number(row, 2),
        length: number(row, 3),
        startS: number(row, 4),
        endS: number(row, 5),
        keyframe: row[6] === true,
      })),
    gaps: listOf(fields['gaps'])
      .map(listOf)
      .map((row) => ({ startS: number(row, 0), endS: number(row, 1), reason: textOf(row[2]) })),
    more: fields['more'] === true,
  };
}

function readMark(value: unknown): Mark {
  const fields = fieldsOf(value);
  return {
    seq: numberOf(fields['seq']) ?? 0,
    atS: numberOf(fields['at_s']) ?? 0,
    kind: textOf(fields['kind']),
    by: textOf(fields['by']),
    id: textOf(fields['id']),
    text: textOf(fields['text']),
    page: numberOf(fields['page']) ?? 0,
  };
}

const sessionPath = (id: string): string => `/sessions/${encodeURIComponent(id)}/replay`;

export const replay = {
  /** The recordings of a session, the oldest first. */
  async recordings(caller: Caller, session: string): Promise<ReplayRecording[]> {
    return listOf((await caller.get(sessionPath(session)))['recordings']).map(readRecording);
  },

  /** Those of the given sessions that have recordings. */
  async recorded(caller: Caller, sessions: readonly string[]): Promise<string[]> {
    if (sessions.length === 0) return [];
    const query = new URLSearchParams({ sessions: sessions.join(',') });
    return textsOf((await caller.get(`/replays?${query.toString()}`))['data']);
  },

  /** Begin to watch. Each call is an entry of the audit log. */
  async view(caller: Caller, recording: string): Promise<Viewing> {
    const fields = await caller.post(`/recordings/${encodeURIComponent(recording)}/replay/viewings`);
    return {
      session: textOf(fields['session']),
      title: textOf(fields['title']),
      recording: readRecording(fields['recording']),
      url: textOf(fields['url']),
      token: textOf(fields['token']),
      tracks: listOf(fields['tracks']).map(readTrack),
    };
  },

  async marks(
    caller: Caller,
    session: string,
    recording: string,
    after: number,
  ): Promise<{ marks: Mark[]; upto: number; more: boolean }> {
    const query = new URLSearchParams({ recording, after: String(after) });
    const fields = await caller.get(`${sessionPath(session)}/marks?${query.toString()}`);
    return {
      marks: listOf(fields['marks']).map(readMark),
      upto: numberOf(fields['upto']) ?? after,
      more: fields['more'] === true,
    };
  },
};

/** The requests of a player, with the token of a viewing. Each has a timeout; error messages are for developers. */
export class Shelf {
  constructor(
    private readonly viewing: Pick<Viewing, 'url' | 'token'>,
    private readonly path: (path: string) => string,
  ) {}

  async progress(): Promise<{ recording: ReplayRecording; tracks: ReplayTrack[] }> {
    const fields = await this.json('', {});
    return {
      recording: readRecording(fields['recording']),
      tracks: listOf(fields['tracks']).map(readTrack),
    };
  }

  async segments(
    track: number,
    from: { atS: number } | { index: number },
    signal: AbortSignal,
  ): Promise<SegmentPage> {
    const query: Record<string, string> =
      'atS' in from ? { at_s: String(from.atS) } : { index: String(from.index) };
    return readSegments(await this.json(`/tracks/${track}/segments`, query, signal));
  }

  /** Some octets of a part. */
  async octets(
    track: number,
    part: number,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<ArrayBuffer> {
    const response = await this.request(`/tracks/${track}/parts/${part}`, {}, signal, {
      Range: `bytes=${offset}-${offset + length - 1}`,
    });
    const octets = await response.arrayBuffer();
    if (response.status !== 206 || octets.byteLength !== length) throw new Error('the range is incomplete');
    return octets;
  }

  private async json(path: string, query: Record<string, string>, signal?: AbortSignal): Promise<Fields> {
    return fieldsOf(await (await this.request(path, query, signal)).json());
  }

  private async request(
    path: string,
    query: Record<string, string>,
    signal?: AbortSignal,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const given = new URLSearchParams({ ...query, token: this.viewing.token });
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(this.path(`${this.viewing.url}${path}?${given.toString()}`), {
      headers,
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    });
    if (response.status === 410) throw new DamagedError();
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response;
  }
}

const TIMEOUT_MS = 15_000;
