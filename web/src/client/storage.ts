/** What this browser keeps between visits, and this tab between reloads. */

import type { DeviceKind } from './media/devices';

const NAME_KEY = 'lectern.name';
const CAMERA_KEY = 'lectern.camera';
const MICROPHONE_KEY = 'lectern.microphone';
const TOKEN_KEY = 'lectern.token';
const MEETING_TOKEN_KEY = 'lectern.meeting-token.';

export interface Preferences {
  name: string;
  /** Device ids; empty: the browser's choice. */
  ids: Record<DeviceKind, string>;
}

type KeyValues = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Read what was remembered; empty strings where nothing was, or where the browser keeps nothing. */
export function recall(store: KeyValues | undefined): Preferences {
  return {
    name: read(store, NAME_KEY),
    ids: { camera: read(store, CAMERA_KEY), microphone: read(store, MICROPHONE_KEY) },
  };
}

/** Remember for the next visit. */
export function remember(store: KeyValues | undefined, preferences: Preferences): void {
  write(store, NAME_KEY, preferences.name);
  write(store, CAMERA_KEY, preferences.ids.camera);
  write(store, MICROPHONE_KEY, preferences.ids.microphone);
}

/** The access token of this tab, so that a reload does not lose the lesson; empty when there is none. */
export function recallToken(store: KeyValues | undefined): string {
  return read(store, TOKEN_KEY);
}

/** Keep the access token for this tab; an empty one forgets it. */
export function rememberToken(store: KeyValues | undefined, token: string): void {
  write(store, TOKEN_KEY, token);
}

/** The meeting token of this tab for a room; empty when there is none. */
export function recallMeetingToken(store: KeyValues | undefined, room: string): string {
  return read(store, MEETING_TOKEN_KEY + room);
}

/** Keep a room's meeting token for this tab; an empty one forgets it. */
export function rememberMeetingToken(store: KeyValues | undefined, room: string, token: string): void {
  write(store, MEETING_TOKEN_KEY + room, token);
}

/** A storage of this window; undefined where the browser refuses even the property (blocked site data). */
export function storage(kind: 'localStorage' | 'sessionStorage'): KeyValues | undefined {
  try {
    return globalThis[kind];
  } catch {
    return undefined;
  }
}

function read(store: KeyValues | undefined, key: string): string {
  try {
    return store?.getItem(key) ?? '';
  } catch {
    return '';
  }
}

function write(store: KeyValues | undefined, key: string, value: string): void {
  try {
    if (value === '') store?.removeItem(key);
    else store?.setItem(key, value);
  } catch {
    // A full or forbidden storage costs convenience, not the lesson.
  }
}
