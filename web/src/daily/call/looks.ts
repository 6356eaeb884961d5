/** How a meeting looks, as its embedding page and its user want it. Changes are told to subscribers. */

import type { Fields } from '../bridge/wire';

export type Sidebar = 'people' | 'chat' | 'network' | null;
export type ShowNames = false | 'always' | 'never';

export interface TrayButton {
  id: string;
  label: string;
  tooltip: string;
  active: boolean;
}

export interface LooksState {
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

const START: LooksState = {
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

export class Looks {
  private state: LooksState = START;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): LooksState => this.state;

  set(change: Partial<LooksState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

const FLAGS = [
  'activeSpeakerMode',
  'showLocalVideo',
  'showParticipantsBar',
  'showLeaveButton',
  'showFullscreenButton',
  'showUserNameChangeUI',
] as const satisfies readonly (keyof LooksState)[];

/** What the properties of a call say of its looks. */
export function looksOf(properties: Fields): Partial<LooksState> {
  const found: Partial<LooksState> = {};
  for (const flag of FLAGS) {
    const value = properties[flag];
    if (typeof value === 'boolean') found[flag] = value;
  }
  if (typeof properties['lang'] === 'string') found.lang = properties['lang'];
  if (properties['customTrayButtons'] !== undefined) {
    found.trayButtons = trayButtons(properties['customTrayButtons']);
  }
  return found;
}

/** The buttons that an application adds; pictures are left out, for they come from other hosts. */
export function trayButtons(value: unknown): TrayButton[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value as Fields).map(([id, button]) => {
    const { label, tooltip, visualState } = (button ?? {}) as Fields;
    return {
      id,
      label: typeof label === 'string' ? label : id,
      tooltip: typeof tooltip === 'string' ? tooltip : '',
      active: visualState === 'active' || visualState === 'sidebar-open',
    };
  });
}

export function sidebarOf(view: unknown): Sidebar {
  return view === 'people' || view === 'chat' || view === 'network' ? view : null;
}

export function showNamesOf(mode: unknown): ShowNames {
  return mode === 'always' || mode === 'never' ? mode : false;
}
