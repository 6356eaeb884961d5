/** Reads what daily-js's messages say about the appearance of a meeting. */
import type { Fields } from '../../client/json';
import type { Appearance, ShowNames, Sidebar, TrayButton } from '../call/appearance';

const FLAGS = [
  'activeSpeakerMode',
  'showLocalVideo',
  'showParticipantsBar',
  'showLeaveButton',
  'showFullscreenButton',
  'showUserNameChangeUI',
] as const satisfies readonly (keyof Appearance)[];

/** Read the appearance out of the properties of a call. */
export function appearanceOf(properties: Fields): Partial<Appearance> {
  const found: Partial<Appearance> = {};
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

/** Read the buttons that an application adds. Icons are left out, because they come from other hosts. */
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
