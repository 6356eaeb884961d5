/** The steps of a call, and how it can end. */
import { t, type PlainKey } from '../../client/text/catalogue';
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
  /** `attempt`: how often the page has tried to come back by itself; undefined when it does not try. */
  | { name: 'over'; over: CallEnd; attempt: number | undefined };

type Ways = Readonly<{ title: PlainKey; detail: PlainKey; again?: PlainKey }>;

const OVER: Readonly<Record<string, Ways>> = {
  'nbf-room': { title: 'daily.notStarted', detail: 'daily.notStartedDetail', again: 'action.tryAgain' },
  'nbf-token': { title: 'daily.early', detail: 'daily.earlyDetail', again: 'action.tryAgain' },
  'exp-room': { title: 'daily.over', detail: 'daily.overDetail' },
  'exp-token': { title: 'daily.expired', detail: 'daily.expiredDetail' },
  'no-room': { title: 'daily.noRoom', detail: 'daily.noRoomDetail' },
  'meeting-full': { title: 'daily.full', detail: 'daily.fullDetail', again: 'action.tryAgain' },
  'not-allowed': { title: 'daily.notAllowed', detail: 'daily.notAllowedDetail' },
  ejected: { title: 'daily.ejected', detail: 'daily.ejectedDetail' },
  'end-of-life': { title: 'daily.old', detail: 'daily.oldDetail' },
};

const LOST: Ways = { title: 'daily.lost', detail: 'daily.lostDetail', again: 'action.tryAgain' };
const LEFT: Ways = { title: 'daily.left', detail: 'daily.leftDetail', again: 'end.again' };

function wordsOf({ title, detail, again }: Ways): Omit<CallEnd, 'problem'> {
  return { title: t(title), detail: t(detail), again: again === undefined ? undefined : t(again) };
}

/** The end of a call after an error of one of Daily's types. */
export function endByError(type: string, msg: string): CallEnd {
  return { ...wordsOf(OVER[type] ?? LOST), problem: { type, msg } };
}

/** The end of a call that the user left. */
export function endByLeaving(): CallEnd {
  return { ...wordsOf(LEFT), problem: undefined };
}
