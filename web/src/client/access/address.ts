/** Reads the page's own address and builds the addresses of room links and of the server. */

import { basePath, pathInside, serverPath } from '../server/base';
import { t } from '../text/catalogue';

/** Longest room or display name that the server accepts, in UTF-16 code units. */
export const MAX_NAME_LENGTH = 256;

export interface Address {
  /** Room named in the link; empty when there is none. */
  room: string;
  /** Access token in the fragment, which browsers never send to a server; empty when there is none. */
  token: string;
  /** Invitation in the fragment, which is exchanged for a token; empty when there is none. */
  invitation: string;
}

/** Read a location; an address of another form gives empty strings. */
export function readAddress(page: Pick<Location, 'pathname' | 'hash'>): Address {
  const location = { pathname: pathInside(page.pathname), hash: page.hash };
  const match = /^\/join\/([^/]+)\/?$/.exec(location.pathname);
  const fragment = new URLSearchParams(location.hash.replace(/^#/, ''));
  return {
    room: decode(match?.[1] ?? ''),
    token: fragment.get('token') ?? '',
    invitation: fragment.get('invitation') ?? '',
  };
}

/** The path of a room's link; it contains no secret. */
export function roomPath(room: string): string {
  return serverPath(`/join/${encodeURIComponent(room)}`);
}

/** The path of the form that asks for a room, or for a link to one. */
export function roomFormPath(): string {
  return serverPath('/join/');
}

/** A name that nobody guesses, in three groups of letters: 26^9 are 42 bits. `random`: at least nine bytes. */
export function randomRoom(random: Uint8Array): string {
  const letters = [...random.slice(0, 9)].map((byte) => String.fromCharCode(97 + (byte % 26))).join('');
  return [letters.slice(0, 3), letters.slice(3, 6), letters.slice(6)].join('-');
}

/** The path of a link that admits whoever has it. */
export function invitationPath(room: string, invitation: string): string {
  return `${roomPath(room)}#invitation=${invitation}`;
}

/** The server's WebSocket address: the page's own host and base path, with TLS if the page has TLS. */
export function signallingUrl(location: Pick<Location, 'protocol' | 'host'>, base = basePath()): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${base.slice(0, -1)}`;
}

/** Say why a room cannot have this name; undefined when it can. */
export function roomProblem(room: string): string | undefined {
  if (room === '') return t('room.noName');
  // Browsers resolve these two path segments, so no link could lead to such a room (URL standard, 4.4).
  if (room === '.' || room === '..') return t('room.dots');
  if (room.length > MAX_NAME_LENGTH) return t('room.long', { count: MAX_NAME_LENGTH });
  return undefined;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return '';
  }
}
