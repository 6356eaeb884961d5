/** Where somebody is on the way into a meeting and out of it. */
import type { MeetingSettings } from './door';

/** How it ended, in plain words. */
export interface CallEnd {
  title: string;
  detail: string;
  /** Text of the button that tries again; undefined where that makes no sense. */
  again: string | undefined;
  /** Daily's type and message, where it did not end as wished. */
  problem: { type: string; msg: string } | undefined;
}

/** Generic over the meeting, which only the bridge and components look into. */
export type Step<M> =
  /** For the server, or for the page around this one. */
  | { name: 'waiting' }
  | { name: 'haircheck'; settings: MeetingSettings; userName: string; busy: boolean }
  /** `knock` is undefined until the server knows of it. */
  | {
      name: 'knocking';
      settings: MeetingSettings;
      userName: string;
      knock: string | undefined;
      denied: boolean;
    }
  | { name: 'meeting'; settings: MeetingSettings; meeting: M }
  | { name: 'over'; over: CallEnd };

const OVER: Readonly<Record<string, Omit<CallEnd, 'problem'>>> = {
  'nbf-room': {
    title: 'This meeting has not started yet',
    detail: 'The room opens later. Wait until then, and try again.',
    again: 'Try again',
  },
  'nbf-token': {
    title: 'You are too early',
    detail: 'Your invitation counts from a later time on. Wait until then, and try again.',
    again: 'Try again',
  },
  'exp-room': {
    title: 'This meeting is over',
    detail: 'The room has closed.',
    again: undefined,
  },
  'exp-token': {
    title: 'Your invitation has expired',
    detail: 'Ask whoever invited you for a new one.',
    again: undefined,
  },
  'no-room': {
    title: 'There is no such meeting',
    detail: 'The room does not exist, or has been deleted. Check the link.',
    again: undefined,
  },
  'meeting-full': {
    title: 'This meeting is full',
    detail: 'It has as many people as it may have. Try again when somebody has left.',
    again: 'Try again',
  },
  'not-allowed': {
    title: 'You may not enter this meeting',
    detail: 'It is private. Open the personal link that you were given, or ask whoever runs the meeting.',
    again: undefined,
  },
  ejected: {
    title: 'You were removed from the meeting',
    detail: 'Somebody who runs the meeting removed you, or your time in it was over.',
    again: undefined,
  },
  'end-of-life': {
    title: 'This version is no longer supported',
    detail: 'Tell whoever runs the page that you came from.',
    again: undefined,
  },
};

const LOST: Omit<CallEnd, 'problem'> = {
  title: 'You are not connected',
  detail: 'The server cannot be reached. Check your network, then try again.',
  again: 'Try again',
};

/** The end for one of Daily's types of error. */
export function endByError(type: string, msg: string): CallEnd {
  return { ...(OVER[type] ?? LOST), problem: { type, msg } };
}

/** The end that somebody wished for. */
export const LEFT: CallEnd = {
  title: 'You left the meeting',
  detail: 'You can come back while it lasts.',
  again: 'Join again',
  problem: undefined,
};
