/** How a meeting looks, as set by the embedding page and by the user. */

import type { RoomView } from '../../room/view';

export type { Sidebar } from '../../room/view';
export type ShowNames = false | 'always' | 'never';

export interface TrayButton {
  id: string;
  label: string;
  tooltip: string;
  active: boolean;
}

export interface Appearance extends RoomView {
  showLocalVideo: boolean;
  showParticipantsBar: boolean;
  showNames: ShowNames;
  showLeaveButton: boolean;
  showFullscreenButton: boolean;
  showUserNameChangeUI: boolean;
  fullscreen: boolean;
  trayButtons: readonly TrayButton[];
  lang: string;
  /** Whether to play a sound when somebody joins; a number limits this to meetings of at most so many people. */
  ding: boolean | number;
}

export const INITIAL_APPEARANCE: Appearance = {
  activeSpeakerMode: false,
  showLocalVideo: true,
  showParticipantsBar: true,
  showNames: false,
  sidebar: null,
  // daily-js's defaults: an embedding page usually has buttons of its own.
  showLeaveButton: false,
  showFullscreenButton: false,
  showUserNameChangeUI: true,
  fullscreen: false,
  trayButtons: [],
  lang: 'en',
  pinned: undefined,
  ding: true,
};
