/** What this browser keeps between visits, and this tab between reloads. */

import type { DeviceKind } from './words';

const NAME_KEY = 'lectern.name';
const CAMERA_KEY = 'lectern.camera';
const MICROPHONE_KEY = 'lectern.microphone';
const TOKEN_KEY = 'lectern.token';

export interface Preferences {
  name: string;
  /** Device ids; empty: the browser's choice. */
  ids: Record<DeviceKind, string>;
}

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Read what was remembered; empty strings where nothing was, or where the browser keeps nothing. */
export function recall(store: Store | undefined): Preferences {
  return {
    name: read(store, NAME_KEY),
    ids: { camera: read(store, CAMERA_KEY), microphone: read(store, MICROPHONE_KEY) },
  };
}

/** Remember for the next visit. */
export function remember(store: Store | undefined, preferences: Preferences): void {
  write(store, NAME_KEY, preferences.name);
  write(store, CAMERA_KEY, preferences.ids.camera);
  write(store, MICROPHONE_KEY, preferences.ids.microphone);
}

/** The access token of this tab, so that a reload does not lose the lesson; empty when there is none. */
export function recallToken(store: Store | undefined): string {
  return read(store, TOKEN_KEY);
}

/** Keep the access token for this tab; an empty one forgets it. */
export function rememberToken(store: Store | undefined, token: string): void {
  write(store, TOKEN_KEY, token);
}

/** A storage of this window; undefined where the browser refuses even the property (blocked site data). */
export function storage(kind: 'localStorage' | 'sessionStorage'): Store | undefined {
  try {
    return window[kind];
  } catch {
    return undefined;
  }
}

function read(store: Store | undefined, key: string): string {
  try {
    return store?.getItem(key) ?? '';
  } catch {
    return '';
  }
}

function write(store: Store | undefined, key: string, value: string): void {
  try {
    if (value === '') store?.removeItem(key);
    else store?.setItem(key, value);
  } catch {
    // A full or forbidden storage costs convenience, not the lesson.
  }
}
