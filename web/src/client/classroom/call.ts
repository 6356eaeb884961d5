/** Calls of `/api/v1`: one bearer token, JSON in both directions, problem details (RFC 9457) as errors. */
import { isFields, numberOf, textOf, type Fields } from '../json';
import { serverPath } from '../server/base';
import { UnreachableError, type Fetch } from '../server/server';

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

  /** Send a file as the body. */
  upload(path: string, file: Blob): Promise<Fields> {
    return this.call('POST', path, file, crypto.randomUUID(), LONG_MS);
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
    if (!response.ok) throw await problemOf(response);
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
    if (!response.ok) throw await problemOf(response);
    const answer: unknown = await response.json().catch(() => undefined);
    // Responses of commands without a result are empty.
    if (answer === null) return {};
    if (!isFields(answer)) throw new UnreachableError('the response is not a JSON object');
    return answer;
  }

  private async request(
    method: Method,
    path: string,
    body: object | undefined,
    key: string,
    timeoutMs = TIMEOUT_MS,
  ): Promise<Response> {
    const json = body !== undefined && !(body instanceof Blob);
    try {
      return await this.fetcher(serverPath(`/api/v1${path}`), {
        method,
        headers: {
          ...(this.token !== '' && { Authorization: `Bearer ${this.token}` }),
          ...(json && { 'Content-Type': 'application/json' }),
          ...(key !== '' && { 'Idempotency-Key': key }),
        },
        ...(body !== undefined && { body: body instanceof Blob ? body : JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      throw new UnreachableError('no response', { cause: error });
    }
  }
}

async function problemOf(response: Response): Promise<Error> {
  const answer: unknown = await response.json().catch(() => undefined);
  if (!isFields(answer)) return new UnreachableError(`status ${response.status}`);
  const detail = textOf(answer['detail']) || textOf(answer['title']);
  return new Problem(numberOf(answer['status']) ?? response.status, textOf(answer['code']), detail);
}
