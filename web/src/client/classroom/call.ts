/** Calls of `/api/v1`: one bearer token, JSON in both directions, problem details (RFC 9457) as errors. */
import { isFields, numberOf, textOf, type Fields } from '../json';
import { serverPath } from '../server/base';
import { UnreachableError, type Fetch } from '../server/server';
import { CancelledError, sendBody, type Watcher } from './sendBody';

/** The server refused a call. `code` is stable; `message` is the server's text, in English. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

// The same as for the page's other requests.
const TIMEOUT_MS = 10_000;
/** For a large file over a slow link, and for slides, which the server renders page by page. */
export const LONG_MS = 15 * 60_000;

const browserFetch: Fetch = (url, init) => fetch(url, init);

export class Caller {
  constructor(
    readonly token: string,
    private readonly fetcher: Fetch = browserFetch,
    private readonly sender = sendBody,
  ) {}

  get(path: string): Promise<Fields> {
    return this.call('GET', path);
  }

  /**
   * A command. It has an idempotency key and is repeated once if the response is lost, so that a weak link neither loses
   * nor duplicates it.
   */
  async post(path: string, body: object = {}, timeoutMs = TIMEOUT_MS): Promise<Fields> {
    const key = crypto.randomUUID();
    try {
      return await this.call('POST', path, body, key, timeoutMs);
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      return this.call('POST', path, body, key, timeoutMs);
    }
  }

  /** Send a file as the body. Throws `CancelledError` if the watcher's signal cancelled it. */
  async upload(path: string, file: Blob, watcher: Watcher = {}): Promise<Fields> {
    const headers = this.headers(crypto.randomUUID());
    try {
      const { status, body } = await this.sender(apiPath(path), headers, file, LONG_MS, watcher);
      if (status < 200 || status > 299) throw problemOf(status, body);
      return isFields(body) ? body : {};
    } catch (error) {
      if (error instanceof CancelledError || error instanceof Problem) throw error;
      throw new UnreachableError('no response', { cause: error });
    }
  }

  put(path: string, body: object): Promise<Fields> {
    return this.call('PUT', path, body);
  }

  patch(path: string, body: object): Promise<Fields> {
    return this.call('PATCH', path, body);
  }

  delete(path: string): Promise<Fields> {
    return this.call('DELETE', path);
  }

  /** A file, such as a table for spreadsheets or a page of slides. */
  async load(path: string, timeoutMs = LONG_MS): Promise<Blob> {
    const response = await this.request('GET', path, undefined, '', timeoutMs);
    if (!response.ok) throw problemOf(response.status, await jsonOf(response));
    try {
      return await response.blob();
    } catch (error) {
      // The connection was lost, or the time was up, in the middle of the file.
      throw new UnreachableError('no complete response', { cause: error });
    }
  }

  private async call(
    method: Method,
    path: string,
    body?: object,
    key = '',
    timeoutMs = TIMEOUT_MS,
  ): Promise<Fields> {
    const response = await this.request(method, path, body, key, timeoutMs);
    const answer = await jsonOf(response);
    if (!response.ok) throw problemOf(response.status, answer);
    // Responses of commands without a result are empty.
    if (answer === null) return {};
    if (!isFields(answer)) throw new UnreachableError('the response is not a JSON object');
    return answer;
  }

  private headers(key: string): Record<string, string> {
    return {
      ...(this.token !== '' && { Authorization: `Bearer ${this.token}` }),
      ...(key !== '' && { 'Idempotency-Key': key }),
    };
  }

  private async request(
    method: Method,
    path: string,
    body: object | undefined,
    key: string,
    timeoutMs = TIMEOUT_MS,
  ): Promise<Response> {
    try {
      return await this.fetcher(apiPath(path), {
        method,
        headers: {
          ...this.headers(key),
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      throw new UnreachableError('no response', { cause: error });
    }
  }
}

function apiPath(path: string): string {
  return serverPath(`/api/v1${path}`);
}

async function jsonOf(response: Response): Promise<unknown> {
  return response.json().catch(() => undefined);
}

function problemOf(status: number, answer: unknown): Error {
  if (!isFields(answer)) return new UnreachableError(`status ${status}`);
  const detail = textOf(answer['detail']) || textOf(answer['title']);
  return new Problem(numberOf(answer['status']) ?? status, textOf(answer['code']), detail);
}
