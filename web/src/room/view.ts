/** What a room offers, and how the user looks at it. The page of Daily's rooms adds what an embedding page decides. */

/** `people`, `chat`, `network`, or a panel that the page adds. */
export type Sidebar = string | null;

export interface RoomView {
  /** The speaker is large while nobody shares a screen. */
  activeSpeakerMode: boolean;
  /** The tile that the user pinned, as `stage/order.ts` names it; undefined when none is pinned. */
  pinned: string | undefined;
  sidebar: Sidebar;
}

export const FIRST_VIEW: RoomView = { activeSpeakerMode: false, pinned: undefined, sidebar: null };

export interface Features {
  people: boolean;
  chat: boolean;
  network: boolean;
  screenShare: boolean;
  hands: boolean;
  hideOwn: boolean;
  hideOthers: boolean;
  /** Whether to play a sound when somebody joins: `events/useSounds.ts`. */
  ding: boolean | number;
  /** How many people wait to be let in. */
  waiting: number;
}

/** All of it; a sound for arrivals only in small groups, since in a larger one somebody comes all the time. */
export const ALL_FEATURES: Features = {
  people: true,
  chat: true,
  network: true,
  screenShare: true,
  hands: true,
  hideOwn: false,
  hideOthers: false,
  ding: 10,
  waiting: 0,
};
