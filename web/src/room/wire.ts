/** The interface between the screen of a room and its kind: a lesson, a session or a room of Daily's API. */
import type { Participant, Room } from 'livekit-client';

import type { Verdict } from '../client/media/link/stats';
import type { Readable } from '../client/store';
import type { ChatState } from './chatLog';

export interface Chat {
  readonly state: Readable<ChatState>;
  /** Send a line to everyone; throws if it could not be sent. */
  send: (text: string) => Promise<void>;
  /** Record whether the lines are on the screen. */
  setOpen: (open: boolean) => void;
}

export interface Moderation {
  /** Whether the user may mute and remove others at the moment. */
  allowed: () => boolean;
  /** These two report a refusal to the user themselves. */
  mute: (identity: string) => Promise<void>;
  remove: (identity: string) => Promise<void>;
  isHost: (participant: Participant) => boolean;
}

export interface Network {
  /** The latest figures of `client/media/stats.ts`; empty before the first. */
  latest: () => Readonly<Record<string, unknown>>;
  verdict: () => Verdict;
}

export interface Wire {
  readonly room: Room;
  readonly chat: Chat;
  readonly moderation: Moderation;
  readonly network: Network;
}

/** A link to send to other people; undefined if the user may not invite. */
export type Invite = () => Promise<string | undefined>;
