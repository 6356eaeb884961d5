/** The sentences that tell people what went wrong, what they can do about it, and how the connection is. */
import { ConnectionError, ConnectionErrorReason, ConnectionState, DisconnectReason } from 'livekit-client';

import { deviceProblem, type DeviceKind, type DeviceProblem } from './media/devices';
import { RefusedError, UnreachableError } from './server';

/** How a lesson ended, and what to offer next. */
export interface Ending {
  title: string;
  detail: string;
  /** Label of the button that joins again; undefined where joining again makes no sense. */
  rejoin: string | undefined;
}

export const SERVER_UNREACHABLE =
  'The server is not responding. Check your internet connection. If nobody else can join either, the server is down.';

const DEVICE_WORDS: Readonly<Record<DeviceProblem, (device: string) => string>> = {
  denied: (device) =>
    `This page is not allowed to use your ${device}. Allow it in the browser’s settings for this page and try again, or continue without it.`,
  missing: (device) => `No ${device} was found. Plug one in and try again, or continue without it.`,
  busy: (device) =>
    `Your ${device} could not be started; another program may be using it. Close that program and try again, or continue without it.`,
  insecure: (device) =>
    `Browsers do not allow a page without https to use your ${device}. You can still watch and listen.`,
  lost: (device) => `Your ${device} was disconnected. Plug it in and try again, or continue without it.`,
  other: (device) => `Your ${device} could not be started. Try again, or continue without it.`,
};

// When one cause affects both devices, one sentence covers both.
const BOTH: Readonly<Partial<Record<DeviceProblem, string>>> = {
  denied: 'camera and microphone',
  missing: 'camera or microphone',
  insecure: 'camera or microphone',
};

/** Say what is wrong with the devices, in one sentence for each cause. */
export function deviceWords({ camera, microphone }: Partial<Record<DeviceKind, DeviceProblem>>): string[] {
  const both = camera !== undefined && camera === microphone ? BOTH[camera] : undefined;
  if (camera !== undefined && both !== undefined) return [DEVICE_WORDS[camera](both)];
  const words: string[] = [];
  if (camera !== undefined) words.push(DEVICE_WORDS[camera]('camera'));
  if (microphone !== undefined) words.push(DEVICE_WORDS[microphone]('microphone'));
  return words;
}

const CONNECTION_WORDS: Readonly<Record<ConnectionErrorReason, string>> = {
  [ConnectionErrorReason.NotAllowed]:
    'The server did not accept your link. It may have expired: open it again, or ask for a new one.',
  [ConnectionErrorReason.ServerUnreachable]: SERVER_UNREACHABLE,
  [ConnectionErrorReason.InternalError]:
    'The server responds, but audio and video cannot connect. A firewall may be blocking them; try another network.',
  [ConnectionErrorReason.Cancelled]: 'Joining was interrupted. Try again.',
  [ConnectionErrorReason.LeaveRequest]: 'The server did not let you join. Try again in a moment.',
  [ConnectionErrorReason.Timeout]: 'The server took too long to respond. Try again in a moment.',
  [ConnectionErrorReason.WebSocket]: SERVER_UNREACHABLE,
  [ConnectionErrorReason.ServiceNotFound]:
    'This server does not support lessons on this page. Tell the person who runs the server.',
};

/** Say why joining failed. */
export function joinWords(error: unknown): string {
  if (error instanceof UnreachableError) return SERVER_UNREACHABLE;
  if (error instanceof RefusedError) return `The server refused the request: ${error.message}.`;
  if (error instanceof ConnectionError) return CONNECTION_WORDS[error.reason as ConnectionErrorReason];
  return 'Could not join. Try again; if that does not help, reload the page.';
}

/** Say why a device could not be published. `secure`: the page is a secure context. */
export function publishWords(kind: DeviceKind, error: unknown, secure: boolean): string {
  const problem = secure ? deviceProblem(error) : 'insecure';
  if (problem !== 'other') return DEVICE_WORDS[problem](kind);
  return `The others cannot receive your ${kind} because of a problem with the connection. Turn it off and on again.`;
}

export const NAME_REFUSED =
  'The server did not accept the name that you entered, so the others do not see it.';

/** Say why sharing the screen failed; undefined when the person only closed the browser's picker. */
export function screenWords(error: unknown): string | undefined {
  if (nameOf(error) !== 'NotAllowedError')
    return 'Your screen could not be shared. Try again, or choose another window.';
  // Only Chromium distinguishes a refusal by the operating system from one by the person, and only in the message.
  const bySystem = error instanceof Error && error.message.includes('by system');
  return bySystem
    ? 'Your computer does not allow the browser to record the screen. Allow it in the system settings.'
    : undefined;
}

const CONNECTION_STATE_WORDS: Readonly<Record<ConnectionState, string>> = {
  [ConnectionState.Connecting]: 'Connecting…',
  [ConnectionState.Connected]: 'Connected',
  [ConnectionState.SignalReconnecting]: 'The connection to the server was interrupted. Reconnecting…',
  [ConnectionState.Reconnecting]: 'The connection was lost. Reconnecting…',
  [ConnectionState.Disconnected]: 'Disconnected',
};

/** Say how the connection is. */
export function connectionWords(state: ConnectionState): string {
  return CONNECTION_STATE_WORDS[state];
}

const LOST: Ending = {
  title: 'You are disconnected',
  detail:
    'The connection to the lesson was lost and could not be restored. Check your internet connection, then join again.',
  rejoin: 'Join again',
};
const OVER: Ending = { title: 'The lesson is over', detail: 'The room has been closed.', rejoin: undefined };

const ENDINGS: Readonly<Partial<Record<DisconnectReason, Ending>>> = {
  [DisconnectReason.CLIENT_INITIATED]: {
    title: 'You left the lesson',
    detail: 'You can join again while the lesson lasts.',
    rejoin: 'Join again',
  },
  [DisconnectReason.DUPLICATE_IDENTITY]: {
    title: 'You joined somewhere else',
    detail: 'You joined the lesson in another window or on another device, so you were disconnected here.',
    rejoin: 'Join here instead',
  },
  [DisconnectReason.SERVER_SHUTDOWN]: {
    title: 'The server was stopped',
    detail: 'It may be restarting. Wait a moment, then join again.',
    rejoin: 'Join again',
  },
  [DisconnectReason.PARTICIPANT_REMOVED]: {
    title: 'You were removed from the lesson',
    detail: 'A host removed you from the lesson. Ask them if this was a mistake.',
    rejoin: undefined,
  },
  [DisconnectReason.ROOM_DELETED]: OVER,
  [DisconnectReason.ROOM_CLOSED]: OVER,
};

/** Say how the lesson ended. */
export function endingWords(reason: DisconnectReason | undefined): Ending {
  return ENDINGS[reason ?? DisconnectReason.UNKNOWN_REASON] ?? LOST;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}
