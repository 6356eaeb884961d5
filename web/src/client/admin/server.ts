/** The server as its operators see it: `GET /api/v1/server`, the event log, and rates out of counters. */
import type { Caller } from '../classroom/call';
import { fieldsOf, listOf, numberOf, textOf, type Fields } from '../json';

export interface PersonNow {
  identity: string;
  name: string;
  state: string;
  joinedAt: number;
  tracks: number;
  /** Available bandwidth in kbit/s; undefined while it limits nothing. */
  kbps: number | undefined;
  lossPercent: number;
}

export interface RoomNow {
  sid: string;
  name: string;
  createdAt: number;
  recorded: boolean;
  count: number;
  people: PersonNow[];
}

/** Counters of a worker since its start. */
export interface WorkerNow {
  peers: number;
  publications: number;
  received: number;
  forwarded: number;
  retransmitted: number;
  dropped: number;
}

export interface KeyNow {
  key: string;
  note: string;
  configured: boolean;
  createdAt: number | undefined;
  revokedAt: number | undefined;
}

export interface ServerNow {
  at: number;
  rooms: RoomNow[];
  roomCount: number;
  personCount: number;
  workers: WorkerNow[];
  eventLogWaiting: number;
  webhooksWaiting: number;
  keys: KeyNow[];
}

export interface MeetingItem {
  sid: string;
  room: string;
  startedAt: number;
  endedAt: number | undefined;
}

export interface LogItem {
  seq: number;
  at: number;
  kind: string;
  /** The entry as JSON. */
  data: string;
}

const fieldList = (value: unknown): Fields[] => listOf(value).map(fieldsOf);
const count = (value: unknown): number => numberOf(value) ?? 0;

export function readServer(fields: Fields): ServerNow {
  return {
    at: count(fields['at']),
    rooms: fieldList(fields['rooms']).map(readRoom),
    roomCount: count(fields['room_count']),
    personCount: count(fields['person_count']),
    workers: fieldList(fields['workers']).map((each) => ({
      peers: count(each['peers']),
      publications: count(each['publications']),
      received: count(each['packets_received']),
      forwarded: count(each['packets_forwarded']),
      retransmitted: count(each['packets_retransmitted']),
      dropped: count(each['packets_dropped']),
    })),
    eventLogWaiting: count(fields['event_log_waiting']),
    webhooksWaiting: count(fields['webhooks_waiting']),
    keys: fieldList(fields['keys']).map((each) => ({
      key: textOf(each['key']),
      note: textOf(each['note']),
      configured: each['configured'] === true,
      createdAt: numberOf(each['created_at']),
      revokedAt: numberOf(each['revoked_at']),
    })),
  };
}

function readRoom(fields: Fields): RoomNow {
  return {
    sid: textOf(fields['sid']),
    name: textOf(fields['name']),
    createdAt: count(fields['created_at']),
    recorded: fields['recorded'] === true,
    count: count(fields['count']),
    people: fieldList(fields['people']).map((each) => ({
      identity: textOf(each['identity']),
      name: textOf(each['name']) || textOf(each['identity']),
      state: textOf(each['state']),
      joinedAt: count(each['joined_at']),
      tracks: count(each['tracks']),
      kbps: numberOf(each['kbps']),
      lossPercent: count(each['loss_percent']),
    })),
  };
}

export type LinkVerdict = 'good' | 'weak' | 'poor';

/** How good a person's link is: poor where only sound and a screen get through (`signaling/rooms/links.py`). */
export function linkVerdict({ kbps, lossPercent }: Pick<PersonNow, 'kbps' | 'lossPercent'>): LinkVerdict {
  if ((kbps !== undefined && kbps < 300) || lossPercent >= 10) return 'poor';
  return kbps !== undefined || lossPercent >= 2 ? 'weak' : 'good';
}

/** Counts at one moment, and rates since the moment before. */
export interface Sample {
  at: number;
  people: number;
  rooms: number;
  /** Packets per second that each worker forwarded; undefined before the second sample. */
  forwarded: (number | undefined)[];
}

/** The samples with a new one, at most `most`. A worker that was restarted counts from 0 again and has no rate once. */
export function addSample(
  samples: readonly Sample[],
  before: ServerNow | undefined,
  now: ServerNow,
  most: number,
): Sample[] {
  const elapsed = before === undefined ? 0 : now.at - before.at;
  const forwarded = now.workers.map(({ forwarded: total }, index) => {
    const earlier = before?.workers[index]?.forwarded;
    return earlier === undefined || elapsed <= 0 || total < earlier ? undefined : (total - earlier) / elapsed;
  });
  const sample = { at: now.at, people: now.personCount, rooms: now.roomCount, forwarded };
  return [...samples, sample].slice(-most);
}

/** The points of a line through values, as an SVG `points` attribute; missing values leave a gap in none. */
export function linePoints(
  values: readonly (number | undefined)[],
  width: number,
  height: number,
  slots: number,
): string {
  const top = Math.max(...values.map((value) => value ?? 0), 1);
  const step = width / Math.max(slots - 1, 1);
  const first = slots - values.length;
  return values
    .flatMap((value, index) =>
      value === undefined
        ? []
        : [`${round((first + index) * step)},${round(height - (value / top) * height)}`],
    )
    .join(' ');
}

const round = (value: number): number => Math.round(value * 10) / 10;

export const server = {
  async now(caller: Caller): Promise<ServerNow> {
    return readServer(await caller.get('/server'));
  },

  async meetings(caller: Caller): Promise<MeetingItem[]> {
    return fieldList((await caller.get('/server/meetings'))['data']).map((each) => ({
      sid: textOf(each['sid']),
      room: textOf(each['room']),
      startedAt: count(each['started_at']),
      endedAt: numberOf(each['ended_at']),
    }));
  },

  async log(caller: Caller, meeting: string): Promise<LogItem[]> {
    const { data } = await caller.get(`/server/meetings/${encodeURIComponent(meeting)}/events`);
    return fieldList(data).map((each) => ({
      seq: count(each['seq']),
      at: count(each['at']),
      kind: textOf(each['kind']),
      data: JSON.stringify(each['data']),
    }));
  },
};
