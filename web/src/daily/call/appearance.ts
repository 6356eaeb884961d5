/** How a meeting looks, as its embedding page and its user want it. Changes are told to subscribers. */

export type Sidebar = 'people' | 'chat' | 'network' | null;
export type ShowNames = false | 'always' | 'never';

export interface TrayButton {
  id: string;
  label: string;
  tooltip: string;
  active: boolean;
}

export interface Appearance {
  activeSpeakerMode: boolean;
  showLocalVideo: boolean;
  showParticipantsBar: boolean;
  showNames: ShowNames;
  sidebar: Sidebar;
  showLeaveButton: boolean;
  showFullscreenButton: boolean;
  showUserNameChangeUI: boolean;
  fullscreen: boolean;
  trayButtons: readonly TrayButton[];
  lang: string;
  /** Identity of whoever the user wants large; undefined: nobody in particular. */
  pinned: string | undefined;
  /** Whether to play a sound when somebody joins; a number: only in meetings of up to so many. */
  ding: boolean | number;
}

export const INITIAL_APPEARANCE: Appearance = {
  activeSpeakerMode: false,
  showLocalVideo: true,
  showParticipantsBar: true,
  showNames: false,
  sidebar: null,
  // daily-js's defaults: a page that embeds brings buttons of its own.
  showLeaveButton: false,
  showFullscreenButton: false,
  showUserNameChangeUI: true,
  fullscreen: false,
  trayButtons: [],
  lang: 'en',
  pinned: undefined,
  ding: true,
};
