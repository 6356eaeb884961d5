/** Sending a file with progress. `fetch` does not report how much of a body was sent, so this uses XMLHttpRequest. */

export interface Watcher {
  /** Called with the share that was sent, from 0 to 1. */
  onProgress?: (share: number) => void;
  /** Cancels the upload. */
  signal?: AbortSignal;
}

/** What the server answered; `body` is undefined if it is not JSON. */
export interface Answer {
  status: number;
  body: unknown;
}

export type SendBody = (
  url: string,
  headers: Readonly<Record<string, string>>,
  file: Blob,
  timeoutMs: number,
  watcher: Watcher,
) => Promise<Answer>;

/** The user cancelled the upload. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/** POST a file. Throws `CancelledError` if it was cancelled, and `TypeError`, like `fetch`, if there was no response. */
export const sendBody: SendBody = (url, headers, file, timeoutMs, { onProgress, signal }) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.timeout = timeoutMs;
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress?.(total > 0 ? loaded / total : 0);
    request.onload = () => resolve({ status: request.status, body: parsed(request.responseText) });
    request.onerror = request.ontimeout = () => reject(new TypeError('no response'));
    request.onabort = () => reject(new CancelledError());
    if (signal?.aborted === true) {
      reject(new CancelledError());
      return;
    }
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
