/**
 * The sentences about joining a room, its connection and its end. Not part of `words.ts`, because they need the client library,
 * which the first view of the lobby does not wait for.
 */
import { ConnectionError, ConnectionErrorReason, ConnectionState, DisconnectReason } from 'livekit-client';

import { RefusedError, UnreachableError } from './server/server';
import { t, type PlainKey } from './text/catalogue';
import { unreachableWords } from './words';

/** How a lesson ended, and what comes next. */
export interface Ending {
  title: string;
  detail: string;
  /** Label of the button that joins again; undefined where joining again makes no sense. */
  rejoin: string | undefined;
  /** Whether the page joins again by itself. */
  returns: boolean;
}

const CONNECTION_KEYS: Readonly<Record<ConnectionErrorReason, PlainKey>> = {
  [ConnectionErrorReason.NotAllowed]: 'join.notAllowed',
  [ConnectionErrorReason.ServerUnreachable]: 'join.unreachable',
  [ConnectionErrorReason.InternalError]: 'join.media',
  [ConnectionErrorReason.Cancelled]: 'join.cancelled',
  [ConnectionErrorReason.LeaveRequest]: 'join.leave',
  [ConnectionErrorReason.Timeout]: 'join.timeout',
  [ConnectionErrorReason.WebSocket]: 'join.unreachable',
  [ConnectionErrorReason.ServiceNotFound]: 'join.notFound',
};

/** Say why joining failed. */
export function joinWords(error: unknown): string {
  if (error instanceof UnreachableError) return unreachableWords();
  if (error instanceof RefusedError) return t('join.refused', { reason: error.message });
  if (error instanceof ConnectionError) return t(CONNECTION_KEYS[error.reason as ConnectionErrorReason]);
  return t('join.other');
}

/** Whether joining may succeed later without any action, because the server gave no verdict. */
export function mayPass(error: unknown): boolean {
  if (error instanceof RefusedError) return false;
  if (!(error instanceof ConnectionError)) return true;
  return (
    error.reason !== ConnectionErrorReason.NotAllowed &&
    error.reason !== ConnectionErrorReason.ServiceNotFound
  );
}

const STATE_KEYS: Readonly<Record<ConnectionState, PlainKey>> = {
  [ConnectionState.Connecting]: 'connection.connecting',
  [ConnectionState.Connected]: 'connection.connected',
  [ConnectionState.SignalReconnecting]: 'connection.signal',
  [ConnectionState.Reconnecting]: 'connection.lost',
  [ConnectionState.Disconnected]: 'connection.disconnected',
};

/** Describe the state of the connection. */
export function connectionWords(state: ConnectionState): string {
  return t(STATE_KEYS[state]);
}

interface EndingKeys {
  title: PlainKey;
  detail: PlainKey;
  rejoin?: PlainKey;
  returns?: boolean;
}

const LOST: EndingKeys = { title: 'end.lost', detail: 'end.lostDetail', rejoin: 'end.again', returns: true };
const OVER: EndingKeys = { title: 'end.over', detail: 'end.overDetail' };

const ENDINGS: Readonly<Partial<Record<DisconnectReason, EndingKeys>>> = {
  [DisconnectReason.CLIENT_INITIATED]: { title: 'end.left', detail: 'end.leftDetail', rejoin: 'end.again' },
  [DisconnectReason.DUPLICATE_IDENTITY]: {
    title: 'end.duplicate',
    detail: 'end.duplicateDetail',
    rejoin: 'end.here',
  },
  [DisconnectReason.SERVER_SHUTDOWN]: {
    title: 'end.server',
    detail: 'end.serverDetail',
    rejoin: 'end.again',
    returns: true,
  },
  [DisconnectReason.PARTICIPANT_REMOVED]: { title: 'end.removed', detail: 'end.removedDetail' },
  [DisconnectReason.ROOM_DELETED]: OVER,
  [DisconnectReason.ROOM_CLOSED]: OVER,
};

/** Say how the lesson ended. */
export function endingWords(reason: DisconnectReason | undefined): Ending {
  const keys = ENDINGS[reason ?? DisconnectReason.UNKNOWN_REASON] ?? LOST;
  return {
    title: t(keys.title),
    detail: t(keys.detail),
    rejoin: keys.rejoin === undefined ? undefined : t(keys.rejoin),
    returns: keys.returns ?? false,
  };
}
