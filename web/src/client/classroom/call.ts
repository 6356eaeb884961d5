/** Calls of `/api/v1`: one bearer token, JSON in and out, problem details (RFC 9457) as errors. */
import { isFields, numberOf, textOf, type Fields } from '../json';
import { serverPath } from '../server/base';
import { UnreachableError, type Fetch } from '../server/server';

/** The server refused a call. `code` is stable; `message` is the server's sentence, in English. */
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

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

// As for the page's other requests.
const TIMEOUT_MS = 10_000;

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
   * A command. It carries an idempotency key and is repeated once if the answer is lost, so that a weak link neither loses
   * a command nor doubles it.
   */
  async post(path: string, body: object = {}): Promise<Fields> {
    const key = crypto.randomUUID();
    try {
      return await this.call('POST', path, body, key);
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      return this.call('POST', path, body, key);
    }
  }

  patch(path: string, body: object): Promise<Fields> {
    return this.call('PATCH', path, body);
  }

  delete(path: string): Promise<Fields> {
    return this.call('DELETE', path);
  }

  /** A file, such as a table for spreadsheets. */
  async load(path: string): Promise<Blob> {
    const response = await this.request('GET', path, undefined, '');
    if (!response.ok) throw await problemOf(response);
    return response.blob();
  }

  private async call(method: Method, path: string, body?: object, key = ''): Promise<Fields> {
    const response = await this.request(method, path, body, key);
    if (!response.ok) throw await problemOf(response);
    const answer: unknown = await response.json().catch(() => undefined);
    if (!isFields(answer)) throw new UnreachableError('the response is not a JSON object');
    return answer;
  }

  private async request(
    method: Method,
    path: string,
    body: object | undefined,
    key: string,
  ): Promise<Response> {
    try {
      return await this.fetcher(serverPath(`/api/v1${path}`), {
        method,
        headers: {
          ...(this.token !== '' && { Authorization: `Bearer ${this.token}` }),
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...(key !== '' && { 'Idempotency-Key': key }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
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
