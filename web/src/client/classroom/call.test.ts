import { describe, expect, it } from 'vitest';

import { UnreachableError } from '../server/server';
import { Caller, Problem } from './call';
import { CancelledError } from './sendBody';

function answering(...answers: (Response | Error)[]) {
  const sent: { url: string; init: RequestInit }[] = [];
  const fetcher = (url: string, init: RequestInit): Promise<Response> => {
    sent.push({ url, init });
    const answer = answers.shift();
    return answer instanceof Response
      ? Promise.resolve(answer)
      : Promise.reject(answer ?? new Error('none left'));
  };
  return { sent, caller: new Caller('T', fetcher) };
}

const json = (body: object, status = 200): Response => new Response(JSON.stringify(body), { status });
const keyOf = (init: RequestInit | undefined): string | null =>
  new Headers(init?.headers).get('Idempotency-Key');

describe('Caller', () => {
  it('repeats a command whose answer was lost under the same key', async () => {
    const { sent, caller } = answering(new TypeError('network'), json({ seq: 3 }));
    expect(await caller.post('/sessions/s/hands')).toEqual({ seq: 3 });
    expect(sent.map(({ url }) => url)).toEqual(['/api/v1/sessions/s/hands', '/api/v1/sessions/s/hands']);
    expect(keyOf(sent[0]?.init)).toMatch(/^[0-9a-f-]{36}$/u);
    expect(keyOf(sent[1]?.init)).toBe(keyOf(sent[0]?.init));
    expect(new Headers(sent[0]?.init.headers).get('Authorization')).toBe('Bearer T');
  });
  it('gives two commands two keys', async () => {
    const { sent, caller } = answering(json({}), json({}));
    await caller.post('/a');
    await caller.post('/a');
    expect(keyOf(sent[0]?.init)).not.toBe(keyOf(sent[1]?.init));
  });
  it('does not repeat what the server refused, and throws its problem details', async () => {
    const refusal = {
      code: 'hand_raised',
      detail: 'The hand is up already.',
      status: 409,
      title: 'Conflict',
    };
    const { sent, caller } = answering(json(refusal, 409));
    await expect(caller.post('/a')).rejects.toEqual(
      new Problem(409, 'hand_raised', 'The hand is up already.'),
    );
    expect(sent).toHaveLength(1);
  });
  it.each([
    ['a page of a proxy', new Response('<html>', { status: 502 })],
    ['an answer that is no object', json([1])],
  ])('takes %s for an unreachable server', async (_, response) => {
    const { caller } = answering(response);
    await expect(caller.get('/me')).rejects.toBeInstanceOf(UnreachableError);
  });
});

describe('an upload', () => {
  const sending = (outcome: { status: number; body: unknown } | Error) =>
    new Caller('T', undefined, () =>
      outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome),
    ).upload('/files', new Blob(['x']));
  it('returns the fields of the response', async () => {
    expect(await sending({ status: 201, body: { id: 'f' } })).toEqual({ id: 'f' });
  });
  it.each([
    ['a refusal', { status: 413, body: { code: 'too_large', detail: 'large' } }, Problem],
    ['a page of a proxy', { status: 502, body: undefined }, UnreachableError],
    ['a lost connection', new TypeError('no response'), UnreachableError],
    ['its cancellation', new CancelledError(), CancelledError],
  ])('throws for %s', async (_, outcome, kind) => {
    await expect(sending(outcome)).rejects.toBeInstanceOf(kind);
  });
});
