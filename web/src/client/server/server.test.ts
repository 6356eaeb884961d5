import { describe, expect, it } from 'vitest';

import {
  fetchCheckToken,
  fetchConfig,
  fetchGuestToken,
  fetchInvitation,
  fetchToken,
  RefusedError,
  UnreachableError,
  type Fetch,
} from './server';

function answering(status: number, body: string): Fetch {
  return () => Promise.resolve(new Response(body, { status }));
}

describe('fetchConfig', () => {
  it('reads the response', async () => {
    await expect(fetchConfig(answering(200, '{"version": "1.2", "dev": true}'))).resolves.toEqual({
      version: '1.2',
      dev: true,
      oidc: false,
      mail: false,
    });
  });
  it('ignores fields of the wrong type', async () => {
    await expect(fetchConfig(answering(200, '{"dev": "yes"}'))).resolves.toEqual({
      version: '',
      dev: false,
      oidc: false,
      mail: false,
    });
  });
  it.each([
    ['an error page', answering(502, '<h1>Bad gateway</h1>')],
    ['an error without a reason', answering(500, '{}')],
    ['no JSON', answering(200, 'hello')],
    ['null', answering(200, 'null')],
    ['no response', () => Promise.reject(new TypeError('Failed to fetch'))],
  ])('reports an unreachable server after %s', async (_, fetcher) => {
    await expect(fetchConfig(fetcher)).rejects.toBeInstanceOf(UnreachableError);
  });
});

describe('fetchToken', () => {
  it('sends room and name, and returns the token', async () => {
    const asked: unknown[] = [];
    const fetcher: Fetch = (url, init) => {
      asked.push(url, init.method, init.body);
      return Promise.resolve(new Response('{"token": "a.b.c", "url": ""}'));
    };
    await expect(fetchToken('algebra', 'Ada', fetcher)).resolves.toEqual({ token: 'a.b.c', url: '' });
    expect(asked).toEqual(['/page/token', 'POST', '{"room":"algebra","name":"Ada"}']);
  });
  it('passes on the reason of a refusal', async () => {
    const refused = fetchToken('algebra', 'Ada', answering(403, '{"error": "not in dev mode"}'));
    await expect(refused).rejects.toThrow(new RefusedError('not in dev mode'));
  });
  it('does not accept a response without a token', async () => {
    await expect(fetchToken('algebra', 'Ada', answering(200, '{}'))).rejects.toBeInstanceOf(UnreachableError);
  });
});

describe('the requests with a token or an invitation', () => {
  const ACCESS = '{"token": "a.b.c", "url": "", "invitation": "i.n.v"}';
  function recording(asked: unknown[]): Fetch {
    return (url, init) => {
      asked.push(url, new Headers(init.headers).get('authorization'), init.body);
      return Promise.resolve(new Response(ACCESS));
    };
  }
  it('send it', async () => {
    const asked: unknown[] = [];
    await expect(fetchGuestToken('i.n.v', 'Ben', recording(asked))).resolves.toEqual({
      token: 'a.b.c',
      url: '',
    });
    await expect(fetchInvitation('t', recording(asked))).resolves.toBe('i.n.v');
    await expect(fetchCheckToken('t', recording(asked))).resolves.toEqual({ token: 'a.b.c', url: '' });
    expect(asked).toEqual([
      ...['/page/guest', null, '{"invitation":"i.n.v","name":"Ben"}'],
      ...['/page/invitation', 'Bearer t', '{}'],
      ...['/page/check', 'Bearer t', '{}'],
    ]);
  });
  it('do not accept a response without an invitation', async () => {
    await expect(fetchInvitation('t', answering(200, '{}'))).rejects.toBeInstanceOf(UnreachableError);
  });
  it('pass on the reasons of the server API', async () => {
    const refused = fetchInvitation('t', answering(401, '{"code": "unauthenticated", "msg": "no"}'));
    await expect(refused).rejects.toThrow(new RefusedError('no'));
  });
});
