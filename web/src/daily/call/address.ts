/** Reads the address of a room's page: the room, a meeting token, and the embedding page. */

import { pathInside } from '../../client/server/base';

export interface CallAddress {
  /** The room's name; empty when the path names no room. */
  room: string;
  /** Meeting token in the query; empty when there is none. */
  token: string;
  /** The embedding page, if it uses daily-js. */
  frame: Frame | undefined;
}

export interface Frame {
  /** daily-js's id of this frame, which is part of every message. */
  id: string;
  /** Origin of the embedding page; messages are exchanged with this origin only. */
  origin: string;
}

// Daily's rule for room names.
const PATH = /^\/([A-Za-z0-9_-]{1,128})\/?$/;

/** Read a location; `embedded` says whether the page is in a frame. */
export function readCallAddress(
  location: Pick<Location, 'pathname' | 'search'>,
  embedded: boolean,
): CallAddress {
  const query = new URLSearchParams(location.search);
  return {
    room: PATH.exec(pathInside(location.pathname))?.[1] ?? '',
    token: query.get('t') ?? '',
    frame: embedded ? readFrame(query) : undefined,
  };
}

/** The same address without its token, because people share addresses and browsers store them. */
export function withoutToken(location: Pick<Location, 'pathname' | 'search'>): string {
  const query = new URLSearchParams(location.search);
  query.delete('t');
  const rest = query.toString();
  return rest === '' ? location.pathname : `${location.pathname}?${rest}`;
}

/** The application's page for people who left the meeting, with the meeting's address; empty without a usable URL. */
export function exitAddress(wanted: string, host: string, room: string): string {
  try {
    const url = new URL(wanted);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return '';
    url.searchParams.set('recent-call', `${host}/${room}`);
    return url.href;
  } catch {
    return '';
  }
}

function readFrame(query: URLSearchParams): Frame | undefined {
  const id = query.get('emb');
  const href = query.get('embHref');
  if (id === null || href === null) return undefined;
  try {
    const { origin } = new URL(href);
    // A page that was opened from a file has no origin to send messages to.
    return origin === 'null' ? undefined : { id, origin };
  } catch {
    return undefined;
  }
}
