/** The features of a room, and the user's view of it. The page of Daily's rooms adds the embedding page's settings. */

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
  /** Whether to play a sound when a person joins: `events/useSounds.ts`. */
  ding: boolean | number;
  /** Number of people waiting for admission. */
  waiting: number;
}

/** The default view: everything; a sound for joins in small groups only, since people join large ones all the time. */
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
