import { describe, expect, it } from 'vitest';

import { Door, DoorError } from './door';

function answering(status: number, body: unknown) {
  const asked: { url: string; body: unknown; headers: Record<string, string> }[] = [];
  const door = new Door('my room', (url, init) => {
    asked.push({
      url,
      body: JSON.parse(init.body as string) as unknown,
      headers: init.headers as Record<string, string>,
    });
    return Promise.resolve(new Response(typeof body === 'string' ? body : JSON.stringify(body), { status }));
  });
  return { door, asked };
}

describe('Door', () => {
  it('reads the settings', async () => {
    const { door, asked } = answering(200, {
      room: { name: 'maths' },
      user_name: 'Ada',
      must_knock: true,
      enable_chat: true,
    });
    expect(await door.settings('t')).toMatchObject({
      room: { name: 'maths' },
      userName: 'Ada',
      mustKnock: true,
      chat: true,
      people: false,
      screenShare: true,
    });
    expect(asked[0]).toMatchObject({ url: '/daily/rooms/my%20room/look', body: { token: 't' } });
  });
  it.each([
    [
      { state: 'entered', token: 't', pass: 'p', session_id: 's', url: '' },
      { state: 'entered', token: 't', pass: 'p', identity: 's', url: '' },
    ],
    [
      { state: 'waiting', id: 'k' },
      { state: 'waiting', id: 'k' },
    ],
    [{ state: 'denied' }, { state: 'denied' }],
  ])('reads the result of entering: %j', async (body, expected) => {
    const { door } = answering(200, body);
    expect(await door.enter('', 'Ben')).toEqual(expected);
    expect(await door.knockStatus('k')).toEqual(expected);
  });
  it('sends its pass where one is needed', async () => {
    const { door, asked } = answering(200, { waiting: [{ id: 'k', name: 'Ben' }, 7] });
    expect(await door.waitingPeople('p')).toEqual([{ id: 'k', name: 'Ben' }]);
    await door.changeParticipant('p', 's/1', { eject: true });
    await door.record('p', true, 'raw-tracks');
    expect(asked.map(({ headers }) => headers['Authorization'])).toEqual([
      'Bearer p',
      'Bearer p',
      'Bearer p',
    ]);
    expect(asked[2]).toMatchObject({
      url: '/daily/rooms/my%20room/recording',
      body: { on: true, type: 'raw-tracks' },
    });
    expect(asked[1]).toMatchObject({
      url: '/daily/rooms/my%20room/participants/s%2F1',
      body: { eject: true },
    });
  });
  it.each([
    [403, { type: 'exp-room', msg: 'It has ended.' }, 'exp-room'],
    [500, 'internal error', 'connection-error'],
    [200, '<html>', 'connection-error'],
    [200, '[]', 'connection-error'],
  ])('throws nothing but DoorError: %i %j', async (status, body, type) => {
    const { door } = answering(status, body);
    const error = await door.settings('').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DoorError);
    expect((error as DoorError).type).toBe(type);
  });
  it('reports a server that does not respond', async () => {
    const door = new Door('maths', () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(door.enter('', '')).rejects.toMatchObject({ type: 'connection-error' });
  });
});
