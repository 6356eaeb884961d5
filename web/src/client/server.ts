/** The page's two requests to the server that served it. */
import { isFields, textOf, type Fields } from './json';

export interface PageConfig {
  version: string;
  /** The server hands out tokens itself. */
  dev: boolean;
}

export interface Access {
  token: string;
  /** WebSocket address; empty: the page's own host. */
  url: string;
}

/** The server did not answer, or answered something else than it should. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** The server answered no; the message is its reason. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

// Long enough for a slow mobile link, short enough that nobody stares at a dead button.
const TIMEOUT_MS = 10_000;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Ask how the server is set up; throws `UnreachableError` or `RefusedError`. */
export async function fetchConfig(fetcher: Fetch = ownFetch): Promise<PageConfig> {
  const { version, dev } = await request(fetcher, '/page/config', {});
  return { version: textOf(version), dev: dev === true };
}

/** Ask for a token, which a server in dev mode gives; throws `UnreachableError` or `RefusedError`. */
export async function fetchToken(room: string, name: string, fetcher: Fetch = ownFetch): Promise<Access> {
  const { token, url } = await request(fetcher, '/page/token', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ room, name }),
  });
  if (typeof token !== 'string') throw new UnreachableError('the answer holds no token');
  return { token, url: textOf(url) };
}

function ownFetch(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
}

async function request(fetcher: Fetch, url: string, init: RequestInit): Promise<Fields> {
  let response: Response;
  let answer: unknown;
  try {
    response = await fetcher(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    answer = await response.json();
  } catch (error) {
    throw new UnreachableError('no usable answer', { cause: error });
  }
  if (!isFields(answer)) throw new UnreachableError('the answer is not a JSON object');
  if (response.ok) return answer;
  if (typeof answer['error'] === 'string') throw new RefusedError(answer['error']);
  throw new UnreachableError(`status ${response.status}`);
}
