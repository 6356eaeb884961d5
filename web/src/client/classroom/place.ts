/** The page of teaching sessions that a URL names, and the token in it. */
import { pathInside, serverPath } from '../server/base';

export type Place =
  | { kind: 'home' }
  /** What administrators see. */
  | { kind: 'admin' }
  /** Where people manage their account. */
  | { kind: 'account' }
  /** Free times of tutors, and appointments. */
  | { kind: 'appointments' }
  /** A tutor's exercises. */
  | { kind: 'library' }
  /** The form to choose a password, with the token of an invitation. */
  | { kind: 'password' }
  | { kind: 'session'; id: string }
  /** A session by its join code. */
  | { kind: 'code'; code: string };

// Pages whose path is their kind.
const FIXED = ['password', 'admin', 'account', 'appointments', 'library'] as const;

/** Read a location: `/` or `/sessions`, `/sessions/code/{code}`, `/sessions/{id}`, and the fixed pages below `/sessions`. */
export function readPlace(path: string): Place {
  const [, first = '', second = '', third = ''] = pathInside(path).split('/').map(decode);
  if (first !== 'sessions') return { kind: 'home' };
  const fixed = FIXED.find((each) => each === second);
  if (fixed !== undefined) return { kind: fixed };
  if (second === 'code' && third !== '') return { kind: 'code', code: third };
  return second === '' ? { kind: 'home' } : { kind: 'session', id: second };
}

/** The path of a place; it contains no secret. A code admits its holder to the session's lobby. */
export function placePath(place: Place): string {
  if (place.kind === 'home') return serverPath('/');
  if (place.kind === 'code') return serverPath(`/sessions/code/${encodeURIComponent(place.code)}`);
  if (place.kind === 'session') return serverPath(`/sessions/${encodeURIComponent(place.id)}`);
  return serverPath(`/sessions/${place.kind}`);
}

/** The session or recording that a URL of the player names; empty if it names none. */
export function readReplay(path: string): string {
  const [, first = '', second = ''] = pathInside(path).split('/').map(decode);
  return first === 'replay' ? second : '';
}

/** The path of the player for a session or recording. */
export function replayPath(subject: string): string {
  return serverPath(`/replay/${encodeURIComponent(subject)}`);
}

/** The bearer token in the fragment, which browsers never send to a server; empty when there is none. */
export function tokenIn(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/u, '')).get('access_token') ?? '';
}

/** The token of an invitation in the fragment; empty when there is none. */
export function invitationIn(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/u, '')).get('invitation') ?? '';
}

/** A join code as people read it: three characters, a hyphen, three characters. */
export function shownCode(code: string): string {
  return code.length === 6 ? `${code.slice(0, 3)}-${code.slice(3)}` : code;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return '';
  }
}
