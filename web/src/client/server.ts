/** The page's two requests to the server that served it. */
import { serverPath } from './base';
import { isFields, textOf, type Fields } from './json';

export interface PageConfig {
  version: string;
  /** Whether the server runs in dev mode, where it issues tokens to the page itself. */
  dev: boolean;
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

// Long enough for a slow mobile link, short enough for somebody who waits for a button.
const TIMEOUT_MS = 10_000;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Fetch the server's configuration; throws `UnreachableError` or `RefusedError`. */
export async function fetchConfig(fetcher: Fetch = browserFetch): Promise<PageConfig> {
  const { version, dev } = await request(fetcher, '/page/config', {});
  return { version: textOf(version), dev: dev === true };
}

/** Fetch a token from a server in dev mode; throws `UnreachableError` or `RefusedError`. */
export async function fetchToken(room: string, name: string, fetcher: Fetch = browserFetch): Promise<Access> {
  const { token, url } = await request(fetcher, '/page/token', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ room, name }),
  });
  if (typeof token !== 'string') throw new UnreachableError('the response contains no token');
  return { token, url: textOf(url) };
}

function browserFetch(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
}

async function request(fetcher: Fetch, url: string, init: RequestInit): Promise<Fields> {
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
  if (typeof answer['error'] === 'string') throw new RefusedError(answer['error']);
  throw new UnreachableError(`status ${response.status}`);
}
