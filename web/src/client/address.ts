/** What the page's own address says, and the addresses that the page makes. */

/** Longest room or display name that the server takes, in UTF-16 units. */
export const MAX_NAME_LENGTH = 256;

export interface Address {
  /** Room of the link; empty when the link names none. */
  room: string;
  /** Access token of the fragment, which browsers do not send to any server; empty when there is none. */
  token: string;
}

/** Read a location; an address that makes no sense gives empty strings. */
export function readAddress(location: Pick<Location, 'pathname' | 'hash'>): Address {
  const match = /^\/join\/([^/]+)\/?$/.exec(location.pathname);
  return {
    room: decode(match?.[1] ?? ''),
    token: new URLSearchParams(location.hash.replace(/^#/, '')).get('token') ?? '',
  };
}

/** The path of a room's link; it carries no secret. */
export function roomPath(room: string): string {
  return `/join/${encodeURIComponent(room)}`;
}

/** The server's WebSocket address: the page's own host, as secure as the page. */
export function signallingUrl(location: Pick<Location, 'protocol' | 'host'>): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}`;
}

/** Why a room cannot have this name, in plain words; undefined when it can. */
export function roomProblem(room: string): string | undefined {
  if (room === '') return 'Type the name of a room.';
  // Browsers resolve these two as path segments, so no link could lead to such a room (URL standard, 4.4).
  if (room === '.' || room === '..') return 'Choose a room name with letters or numbers.';
  if (room.length > MAX_NAME_LENGTH) return `A room name has at most ${MAX_NAME_LENGTH} characters.`;
  return undefined;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return '';
  }
}
