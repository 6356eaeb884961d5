/** Every sentence that tells somebody what went wrong, or what the connection does: plain words, what to do next. */
import { ConnectionError, ConnectionErrorReason, ConnectionState, DisconnectReason } from 'livekit-client';

import { RefusedError, UnreachableError } from './server';

export type DeviceKind = 'camera' | 'microphone';
export type DeviceProblem = 'denied' | 'missing' | 'busy' | 'insecure' | 'lost' | 'other';

/** How a lesson ended, and what to offer now. */
export interface Ending {
  title: string;
  detail: string;
  /** Text of the button that joins again; undefined where joining again makes no sense. */
  rejoin: string | undefined;
}

export const SERVER_GONE =
  'The server does not answer. Check your network; if others cannot join either, the server is down.';

// Media Capture and Streams, 10.2.5 (getUserMedia), names its failures.
const PROBLEM_OF_ERROR: Readonly<Record<string, DeviceProblem>> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'busy',
  AbortError: 'busy',
};

const DEVICE_WORDS: Readonly<Record<DeviceProblem, (device: string) => string>> = {
  denied: (device) =>
    `The browser does not let this page use your ${device}. Allow it in the browser's settings for this page and try again, or join without.`,
  missing: (device) => `No ${device} was found. Plug one in and try again, or join without.`,
  busy: (device) =>
    `Your ${device} does not start; another program may be using it. Close that program and try again, or join without.`,
  insecure: (device) =>
    `Browsers give no ${device} to pages that are opened without https. You can join without, to watch and listen.`,
  lost: (device) => `Your ${device} was disconnected. Plug it in and try again, or go on without.`,
  other: (device) => `Your ${device} does not start. Try again, or join without.`,
};

/** Classify what getUserMedia threw. */
export function deviceProblem(error: unknown): DeviceProblem {
  return PROBLEM_OF_ERROR[nameOf(error)] ?? 'other';
}

/** Say what is wrong with the devices; one sentence where both have the same trouble. */
export function deviceWords(problems: Partial<Record<DeviceKind, DeviceProblem>>): string[] {
  const { camera, microphone } = problems;
  if (camera !== undefined && camera === microphone) return [DEVICE_WORDS[camera]('camera and microphone')];
  const words: string[] = [];
  if (camera !== undefined) words.push(DEVICE_WORDS[camera]('camera'));
  if (microphone !== undefined) words.push(DEVICE_WORDS[microphone]('microphone'));
  return words;
}

const CONNECTION_WORDS: Readonly<Record<ConnectionErrorReason, string>> = {
  [ConnectionErrorReason.NotAllowed]:
    'The server refused your access. It may have expired: open the link that you were given again, or ask for a new one.',
  [ConnectionErrorReason.ServerUnreachable]: SERVER_GONE,
  [ConnectionErrorReason.InternalError]:
    'The server answers, but video and sound cannot connect. A firewall may be in the way; try another network.',
  [ConnectionErrorReason.Cancelled]: 'Joining was interrupted. Try again.',
  [ConnectionErrorReason.LeaveRequest]: 'The server ended the attempt to join. Try again in a moment.',
  [ConnectionErrorReason.Timeout]: 'The server took too long to answer. Try again in a moment.',
  [ConnectionErrorReason.WebSocket]: SERVER_GONE,
  [ConnectionErrorReason.ServiceNotFound]:
    'This server does not offer lessons to this page. Tell the person who runs it.',
};

/** Say why joining failed. */
export function joinWords(error: unknown): string {
  if (error instanceof UnreachableError) return SERVER_GONE;
  if (error instanceof RefusedError) return `The server refused: ${error.message}.`;
  if (error instanceof ConnectionError) return CONNECTION_WORDS[error.reason as ConnectionErrorReason];
  return 'Joining failed. Try again; if it fails again, reload the page.';
}

/** Say why a device or the screen could not be shown to the others; the device itself may be at fault, or the way. */
export function publishWords(kind: DeviceKind, error: unknown): string {
  const problem = deviceProblem(error);
  if (problem !== 'other') return DEVICE_WORDS[problem](kind);
  return `The others cannot get your ${kind}: the connection did not take it. Turn it off and on again.`;
}

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
    detail: 'Left too early?',
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
