/** Every sentence that tells somebody what went wrong, or what the connection does: plain words, what to do next. */
import { ConnectionError, ConnectionErrorReason, ConnectionState, DisconnectReason } from 'livekit-client';

import { deviceProblem, type DeviceKind, type DeviceProblem } from './media/devices';
import { RefusedError, UnreachableError } from './server';

/** How a lesson ended, and what to offer now. */
export interface Ending {
  title: string;
  detail: string;
  /** Text of the button that joins again; undefined where joining again makes no sense. */
  rejoin: string | undefined;
}

export const SERVER_UNREACHABLE =
  'The server does not answer. Check your network; if others cannot join either, the server is down.';

const DEVICE_WORDS: Readonly<Record<DeviceProblem, (device: string) => string>> = {
  denied: (device) =>
    `The browser does not let this page use your ${device}. Allow that in the browser’s settings for this page and try again, or go on without.`,
  missing: (device) => `No ${device} was found. Plug one in and try again, or go on without.`,
  busy: (device) =>
    `Your ${device} does not start; another program may be using it. Close that program and try again, or go on without.`,
  insecure: (device) =>
    `Browsers give no ${device} to pages that are opened without https. You can watch and listen without.`,
  lost: (device) => `Your ${device} was disconnected. Plug it in and try again, or go on without.`,
  other: (device) => `Your ${device} does not start. Try again, or go on without.`,
};

// Where both devices share a trouble that has one cause, one sentence is enough.
const BOTH: Readonly<Partial<Record<DeviceProblem, string>>> = {
  denied: 'camera and microphone',
  missing: 'camera or microphone',
  insecure: 'camera or microphone',
};

/** Say what is wrong with the devices. */
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
    'The server refused your access. It may have expired: open the link that you were given again, or ask for a new one.',
  [ConnectionErrorReason.ServerUnreachable]: SERVER_UNREACHABLE,
  [ConnectionErrorReason.InternalError]:
    'The server answers, but video and sound cannot connect. A firewall may be in the way; try another network.',
  [ConnectionErrorReason.Cancelled]: 'Joining was interrupted. Try again.',
  [ConnectionErrorReason.LeaveRequest]: 'The server ended the attempt to join. Try again in a moment.',
  [ConnectionErrorReason.Timeout]: 'The server took too long to answer. Try again in a moment.',
  [ConnectionErrorReason.WebSocket]: SERVER_UNREACHABLE,
  [ConnectionErrorReason.ServiceNotFound]:
    'This server does not offer lessons to this page. Tell the person who runs it.',
};

/** Say why joining failed. */
export function joinWords(error: unknown): string {
  if (error instanceof UnreachableError) return SERVER_UNREACHABLE;
  if (error instanceof RefusedError) return `The server refused: ${error.message}.`;
  if (error instanceof ConnectionError) return CONNECTION_WORDS[error.reason as ConnectionErrorReason];
  return 'Joining failed. Try again; if it fails again, reload the page.';
}

/** Say why the others do not get a device; the device itself may be at fault, or the way. `secure` is the page's. */
export function publishWords(kind: DeviceKind, error: unknown, secure: boolean): string {
  const problem = secure ? deviceProblem(error) : 'insecure';
  if (problem !== 'other') return DEVICE_WORDS[problem](kind);
  return `The others cannot get your ${kind}: the connection did not take it. Turn it off and on again.`;
}

export const NAME_REFUSED = 'The others do not see the name that you typed: the server did not take it.';

/** Say why sharing the screen failed; undefined when the person only closed the browser's picker. */
export function screenWords(error: unknown): string | undefined {
  if (nameOf(error) !== 'NotAllowedError')
    return 'Sharing the screen failed. Try again, or choose another window.';
  // Chromium alone tells a refusal by the operating system from one by the person, and by its message only.
  const bySystem = error instanceof Error && error.message.includes('by system');
  return bySystem
    ? 'Your computer does not let the browser record the screen. Allow it in the system settings.'
    : undefined;
}

const CONNECTION_STATE_WORDS: Readonly<Record<ConnectionState, string>> = {
  [ConnectionState.Connecting]: 'Connecting…',
  [ConnectionState.Connected]: 'Connected',
  [ConnectionState.SignalReconnecting]: 'The connection to the server is interrupted. Reconnecting…',
  [ConnectionState.Reconnecting]: 'The connection is lost. Reconnecting…',
  [ConnectionState.Disconnected]: 'Disconnected',
};

/** Say what the connection does. */
export function connectionWords(state: ConnectionState): string {
  return CONNECTION_STATE_WORDS[state];
}

const LOST: Ending = {
  title: 'You are disconnected',
  detail:
    'The connection to the lesson was lost and could not be restored. Check your network, then join again.',
  rejoin: 'Join again',
};
const OVER: Ending = { title: 'The lesson is over', detail: 'The room was closed.', rejoin: undefined };

const ENDINGS: Readonly<Partial<Record<DisconnectReason, Ending>>> = {
  [DisconnectReason.CLIENT_INITIATED]: {
    title: 'You left the lesson',
    detail: 'You can come back while it lasts.',
    rejoin: 'Join again',
  },
  [DisconnectReason.DUPLICATE_IDENTITY]: {
    title: 'You joined somewhere else',
    detail:
      'The lesson was opened with your access in another window or on another device, so it ended here.',
    rejoin: 'Join here instead',
  },
  [DisconnectReason.SERVER_SHUTDOWN]: {
    title: 'The server was stopped',
    detail: 'It may be restarting. Wait a moment, then join again.',
    rejoin: 'Join again',
  },
  [DisconnectReason.PARTICIPANT_REMOVED]: {
    title: 'You were removed from the lesson',
    detail: 'Somebody who runs this lesson removed you. Ask them if this was a mistake.',
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
