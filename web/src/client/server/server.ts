/** The page's requests to the server that served it. */
import { serverPath } from './base';
import { isFields, textOf, type Fields } from '../json';

export interface PageConfig {
  version: string;
  /** Whether the server runs in dev mode, where it issues tokens to the page itself. */
  dev: boolean;
  /** Whether people can sign in at an OpenID provider. */
  oidc: boolean;
  /** Whether the server sends mail, so that people can reset their passwords. */
  mail: boolean;
}

export interface Access {
  token: string;
  /** WebSocket address; empty for the page's own host. */
  url: string;
}

/** The server did not respond, or its response was not the expected JSON. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** The server refused the request; the message is its reason. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

// Long enough for a slow mobile link, short enough for a person who waits for a button.
const TIMEOUT_MS = 10_000;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Fetch the server's configuration; throws `UnreachableError` or `RefusedError`. */
export async function fetchConfig(fetcher: Fetch = browserFetch): Promise<PageConfig> {
  const { version, dev, oidc, mail } = await request(fetcher, '/page/config', {});
  return { version: textOf(version), dev: dev === true, oidc: oidc === true, mail: mail === true };
}

/** Fetch a token from a server in dev mode; throws `UnreachableError` or `RefusedError`. */
export async function fetchToken(room: string, name: string, fetcher: Fetch = browserFetch): Promise<Access> {
  return accessOf(await request(fetcher, '/page/token', post({ room, name })));
}

function browserFetch(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
}

/** Exchange an invitation for a token; throws `UnreachableError` or `RefusedError`. */
export async function fetchGuestToken(
  invitation: string,
  name: string,
  fetcher: Fetch = browserFetch,
): Promise<Access> {
  return accessOf(await request(fetcher, '/page/guest', post({ invitation, name })));
}

/** Fetch an invitation to the room of a token that administers it; throws `UnreachableError` or `RefusedError`. */
export async function fetchInvitation(token: string, fetcher: Fetch = browserFetch): Promise<string> {
  const { invitation } = await request(fetcher, '/page/invitation', post({}, token));
  if (typeof invitation !== 'string') throw new UnreachableError('the response contains no invitation');
  return invitation;
}

/** Fetch a token for a room in which to try the connection; throws `UnreachableError` or `RefusedError`. */
export async function fetchCheckToken(token: string, fetcher: Fetch = browserFetch): Promise<Access> {
  return accessOf(await request(fetcher, '/page/check', post({}, token)));
}

function post(body: object, token?: string): RequestInit {
  return {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  };
}

function accessOf({ token, url }: Fields): Access {
  if (typeof token !== 'string') throw new UnreachableError('the response contains no token');
  return { token, url: textOf(url) };
}

/** Make a request that is answered with a JSON object; throws `UnreachableError` or `RefusedError`. */
export async function request(
  fetcher: Fetch = browserFetch,
  url: string,
  init: RequestInit,
): Promise<Fields> {
  let response: Response;
  let answer: unknown;
  try {
    response = await fetcher(serverPath(url), { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    answer = await response.json();
  } catch (error) {
    throw new UnreachableError('no response, or one that is not JSON', { cause: error });
  }
  if (!isFields(answer)) throw new UnreachableError('the response is not a JSON object');
  if (response.ok) return answer;
  // The page's own requests name the reason `error`, the server API names it `msg`.
  const reason = textOf(answer['error']) || textOf(answer['msg']);
  if (reason !== '') throw new RefusedError(reason);
  throw new UnreachableError(`status ${response.status}`);
}
