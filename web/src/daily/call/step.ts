/** The steps of a call, and how it can end. */
import type { MeetingSettings } from './door';

/** How a call ended, in words for the user. */
export interface CallEnd {
  title: string;
  detail: string;
  /** Label of the button that tries again; undefined where that makes no sense. */
  again: string | undefined;
  /** Daily's error type and message; undefined if the user left. */
  problem: { type: string; msg: string } | undefined;
}

/** Generic in the meeting, which only the bridge and components use. */
export type Step<M> =
  /** Waiting for the server, or for the embedding page. */
  | { name: 'waiting' }
  | { name: 'haircheck'; settings: MeetingSettings; userName: string; busy: boolean }
  /** `knock` is undefined until the server has registered the knock. */
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
    detail: 'The room is not open yet. Try again later.',
    again: 'Try again',
  },
  'nbf-token': {
    title: 'You are too early',
    detail: 'Your invitation is not valid yet. Try again later.',
    again: 'Try again',
  },
  'exp-room': {
    title: 'This meeting is over',
    detail: 'The room has closed.',
    again: undefined,
  },
  'exp-token': {
    title: 'Your invitation has expired',
    detail: 'Ask the person who invited you for a new one.',
    again: undefined,
  },
  'no-room': {
    title: 'There is no such meeting',
    detail: 'The room does not exist or has been deleted. Check the link.',
    again: undefined,
  },
  'meeting-full': {
    title: 'This meeting is full',
    detail: 'The maximum number of people has joined. Try again when somebody has left.',
    again: 'Try again',
  },
  'not-allowed': {
    title: 'You may not enter this meeting',
    detail: 'It is private. Open your personal link, or ask the host of the meeting for one.',
    again: undefined,
  },
  ejected: {
    title: 'You were removed from the meeting',
    detail: 'A host removed you, or your time in the meeting was over.',
    again: undefined,
  },
  'end-of-life': {
    title: 'This version is no longer supported',
    detail: 'Tell the people who run the page that you came from.',
    again: undefined,
  },
};

const LOST: Omit<CallEnd, 'problem'> = {
  title: 'You are not connected',
  detail: 'The server cannot be reached. Check your internet connection, then try again.',
  again: 'Try again',
};

/** The end of a call after an error of one of Daily's types. */
export function endByError(type: string, msg: string): CallEnd {
  return { ...(OVER[type] ?? LOST), problem: { type, msg } };
}

/** The end of a call that the user left. */
export const LEFT: CallEnd = {
  title: 'You left the meeting',
  detail: 'You can join again while the meeting lasts.',
  again: 'Join again',
  problem: undefined,
};
