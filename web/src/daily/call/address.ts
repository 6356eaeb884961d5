/** What the address of a room's page says: which room, a meeting token, and which page embeds it. */

export interface CallAddress {
  /** The room's name; empty when the path is none of a room. */
  room: string;
  /** Meeting token of the query; empty when there is none. */
  token: string;
  /** The page around this one, where daily-js put it there. */
  frame: Frame | undefined;
}

export interface Frame {
  /** daily-js's id of this frame: every message carries it. */
  id: string;
  /** Origin of the embedding page; the only one that is spoken to. */
  origin: string;
}

// Daily's room names.
const PATH = /^\/([A-Za-z0-9_-]{1,128})\/?$/;

/** Read a location; `embedded` is whether a window is around this one. */
export function readCallAddress(
  location: Pick<Location, 'pathname' | 'search'>,
  embedded: boolean,
): CallAddress {
  const query = new URLSearchParams(location.search);
  return {
    room: PATH.exec(location.pathname)?.[1] ?? '',
    token: query.get('t') ?? '',
    frame: embedded ? readFrame(query) : undefined,
  };
}

/** The same address without its token: addresses are shown, shared and kept. */
export function withoutToken(location: Pick<Location, 'pathname' | 'search'>): string {
  const query = new URLSearchParams(location.search);
  query.delete('t');
  const rest = query.toString();
  return rest === '' ? location.pathname : `${location.pathname}?${rest}`;
}

/** Where the application wants people after a meeting, told which one it was; empty where it says nothing usable. */
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
    // A page from a file has no origin that could be aimed at.
    return origin === 'null' ? undefined : { id, origin };
  } catch {
    return undefined;
  }
}
