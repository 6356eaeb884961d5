/** How the user looks at a room. The page of Daily's rooms adds what an embedding page decides. */

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
