/** The sentences that tell people what went wrong, what they can do about it, and the state of the connection. */
import { ConnectionError, ConnectionErrorReason, ConnectionState, DisconnectReason } from 'livekit-client';

import { deviceProblem, type DeviceKind, type DeviceProblem } from './media/devices/devices';
import { RefusedError, UnreachableError } from './server/server';
import { t, type PlainKey } from './text/catalogue';

/** How a lesson ended, and what comes next. */
export interface Ending {
  title: string;
  detail: string;
  /** Label of the button that joins again; undefined where joining again makes no sense. */
  rejoin: string | undefined;
  /** Whether the page joins again by itself. */
  returns: boolean;
}

type Device = 'camera' | 'microphone' | 'both' | 'either';

// When one cause affects both devices, one sentence covers both.
const BOTH: Readonly<Partial<Record<DeviceProblem, Device>>> = {
  denied: 'both',
  missing: 'either',
  insecure: 'either',
};

/** Say what is wrong with the devices, in one sentence for each cause. */
export function deviceWords({ camera, microphone }: Partial<Record<DeviceKind, DeviceProblem>>): string[] {
  const both = camera !== undefined && camera === microphone ? BOTH[camera] : undefined;
  if (camera !== undefined && both !== undefined) return [problemWords(camera, both)];
  const words: string[] = [];
  if (camera !== undefined) words.push(problemWords(camera, 'camera'));
  if (microphone !== undefined) words.push(problemWords(microphone, 'microphone'));
  return words;
}

function problemWords(problem: DeviceProblem, device: Device): string {
  if (problem === 'busy') return t(device === 'camera' ? 'problem.busy.camera' : 'problem.busy.microphone');
  return t(`problem.${problem}`, { device: t(`device.${device}`) });
}

/** Say that the server does not respond. */
export function unreachableWords(): string {
  return t('join.unreachable');
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

/** Say why a device could not be published. `secure`: the page is a secure context. */
export function publishWords(kind: DeviceKind, error: unknown, secure: boolean): string {
  const problem = secure ? deviceProblem(error) : 'insecure';
  if (problem !== 'other') return problemWords(problem, kind);
  return t('problem.publish', { device: t(`device.${kind}`) });
}

/** Say why sharing the screen failed; undefined when the person only closed the browser's picker. */
export function screenWords(error: unknown): string | undefined {
  if (nameOf(error) !== 'NotAllowedError') return t('problem.screen');
  // Only Chromium distinguishes a refusal by the operating system from one by the person, and only in the message.
  const bySystem = error instanceof Error && error.message.includes('by system');
  return bySystem ? t('problem.screenSystem') : undefined;
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

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}
