/** What the browser stores between visits, and the tab between reloads. */

import type { DeviceKind } from './media/devices/devices';

const NAME_KEY = 'lectern.name';
const CAMERA_KEY = 'lectern.camera';
const MICROPHONE_KEY = 'lectern.microphone';
const CAMERA_OFF_KEY = 'lectern.camera-off';
const MICROPHONE_OFF_KEY = 'lectern.microphone-off';
const LANGUAGE_KEY = 'lectern.language';
const LETTERS_OFF_KEY = 'lectern.letters-off';
const BLUR_KEY = 'lectern.blur';
const SPEAKER_KEY = 'lectern.speaker';
const TOKEN_KEY = 'lectern.token';
const SIGN_IN_KEY = 'lectern.sign-in';
const SESSION_TOKEN_KEY = 'lectern.session-token.';
const CONSENT_KEY = 'lectern.consent.';
const MEETING_TOKEN_KEY = 'lectern.meeting-token.';

export interface Preferences {
  name: string;
  /** Device ids; empty where the browser chooses. */
  ids: Record<DeviceKind, string>;
  /** Id of the speaker; empty for the system's. */
  speaker: string;
  /** Whether the user last had the device on. */
  on: Record<DeviceKind, boolean>;
}

type KeyValues = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Read the preferences; empty strings where nothing is stored, or where the browser stores nothing. */
export function recall(store: KeyValues | undefined): Preferences {
  return {
    name: read(store, NAME_KEY),
    ids: { camera: read(store, CAMERA_KEY), microphone: read(store, MICROPHONE_KEY) },
    speaker: read(store, SPEAKER_KEY),
    on: { camera: read(store, CAMERA_OFF_KEY) === '', microphone: read(store, MICROPHONE_OFF_KEY) === '' },
  };
}

/** Store the preferences for the next visit. */
export function remember(store: KeyValues | undefined, preferences: Preferences): void {
  write(store, NAME_KEY, preferences.name);
  write(store, CAMERA_KEY, preferences.ids.camera);
  write(store, MICROPHONE_KEY, preferences.ids.microphone);
  write(store, SPEAKER_KEY, preferences.speaker);
  write(store, CAMERA_OFF_KEY, preferences.on.camera ? '' : 'off');
  write(store, MICROPHONE_OFF_KEY, preferences.on.microphone ? '' : 'off');
}

/** The language that the user chose; empty for the browser's. */
export function recallLanguage(store: KeyValues | undefined): string {
  return read(store, LANGUAGE_KEY);
}

export function rememberLanguage(store: KeyValues | undefined, language: string): void {
  write(store, LANGUAGE_KEY, language);
}

/** Whether single letters are shortcuts (WCAG 2.1.4 requires a way to turn them off). */
export function recallLetters(store: KeyValues | undefined): boolean {
  return read(store, LETTERS_OFF_KEY) === '';
}

export function rememberLetters(store: KeyValues | undefined, on: boolean): void {
  write(store, LETTERS_OFF_KEY, on ? '' : 'off');
}

/** Whether the user blurs the background of their camera. */
export function recallBlur(store: KeyValues | undefined): boolean {
  return read(store, BLUR_KEY) !== '';
}

export function rememberBlur(store: KeyValues | undefined, on: boolean): void {
  write(store, BLUR_KEY, on ? 'on' : '');
}

/** The access token of this tab, with which a reload stays in the lesson; empty when there is none. */
export function recallToken(store: KeyValues | undefined): string {
  return read(store, TOKEN_KEY);
}

/** Store the access token for this tab; an empty one removes it. */
export function rememberToken(store: KeyValues | undefined, token: string): void {
  write(store, TOKEN_KEY, token);
}

/** The meeting token of this tab for a room; empty when there is none. */
export function recallMeetingToken(store: KeyValues | undefined, room: string): string {
  return read(store, MEETING_TOKEN_KEY + room);
}

/** Store the meeting token of a room for this tab; an empty one removes it. */
export function rememberMeetingToken(store: KeyValues | undefined, room: string, token: string): void {
  write(store, MEETING_TOKEN_KEY + room, token);
}

/** The token of the person who is signed in in this tab; empty when nobody is. */
export function recallSignIn(store: KeyValues | undefined): string {
  return read(store, SIGN_IN_KEY);
}

/** Store the sign-in for this tab; an empty token ends it. */
export function rememberSignIn(store: KeyValues | undefined, token: string): void {
  write(store, SIGN_IN_KEY, token);
}

/** What somebody answered when a session was recorded; empty: nothing yet. */
export type Consent = '' | 'granted' | 'declined';

export function recallConsent(store: KeyValues | undefined, session: string): Consent {
  const value = read(store, CONSENT_KEY + session);
  return value === 'granted' || value === 'declined' ? value : '';
}

export function rememberConsent(store: KeyValues | undefined, session: string, consent: Consent): void {
  write(store, CONSENT_KEY + session, consent);
}

/** The token of this tab for one session, with which a reload stays in it; empty when there is none. */
export function recallSessionToken(store: KeyValues | undefined, session: string): string {
  return read(store, SESSION_TOKEN_KEY + session);
}

export function rememberSessionToken(store: KeyValues | undefined, session: string, token: string): void {
  write(store, SESSION_TOKEN_KEY + session, token);
}

/** One of the browser's storages; undefined where reading the property throws (blocked site data). */
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
    // The lesson works without a storage that is full or blocked.
  }
}
