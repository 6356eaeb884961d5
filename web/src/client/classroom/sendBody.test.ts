import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { CancelledError, sendBody } from './sendBody';

/** A request that the test answers. */
class FakeRequest {
  static latest: FakeRequest;
  upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;
  status = 0;
  responseText = '';
  timeout = 0;
  sent: unknown;
  headers: Record<string, string> = {};

  constructor() {
    FakeRequest.latest = this;
  }
  open(): void {
    this.status = 0;
  }
  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }
  send(body: unknown): void {
    this.sent = body;
  }
  abort(): void {
    this.onabort?.();
  }
}

beforeEach(() => vi.stubGlobal('XMLHttpRequest', FakeRequest));
afterEach(() => vi.unstubAllGlobals());

const FILE = new Blob(['abcd']);

describe('sendBody', () => {
  it('reports progress and the answer', async () => {
    const shares: number[] = [];
    const sending = sendBody('/x', { A: 'b' }, FILE, 5, { onProgress: (share) => shares.push(share) });
    const { latest } = FakeRequest;
    latest.upload.onprogress?.({ loaded: 1, total: 4 });
    latest.upload.onprogress?.({ loaded: 4, total: 4 });
    Object.assign(latest, { status: 413, responseText: '{"code":"too_large"}' });
    latest.onload?.();
    expect(await sending).toEqual({ status: 413, body: { code: 'too_large' } });
    expect(shares).toEqual([0.25, 1]);
    expect([latest.sent, latest.headers, latest.timeout]).toEqual([FILE, { A: 'b' }, 5]);
  });
  it('is cancelled before and while it sends', async () => {
    const cancel = new AbortController();
    const sending = sendBody('/x', {}, FILE, 5, { signal: cancel.signal });
    cancel.abort();
    await expect(sending).rejects.toBeInstanceOf(CancelledError);
    await expect(sendBody('/x', {}, FILE, 5, { signal: cancel.signal })).rejects.toBeInstanceOf(
      CancelledError,
    );
    expect(FakeRequest.latest.sent).toBeUndefined();
  });
  it('throws as fetch does when the connection is lost', async () => {
    const sending = sendBody('/x', {}, FILE, 5, {});
    FakeRequest.latest.onerror?.();
    await expect(sending).rejects.toBeInstanceOf(TypeError);
  });
});
