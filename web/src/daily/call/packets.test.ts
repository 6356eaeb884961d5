import { describe, expect, it } from 'vitest';

import { appMessage, chatLine, chatMessage, readPacket } from './packets';

function packet(content: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(content));
}

describe('readPacket', () => {
  it('reads what another page encoded', () => {
    expect(readPacket(appMessage({ hello: 1 }), 'ben')).toEqual({
      kind: 'app-message',
      data: { hello: 1 },
      from: 'ben',
    });
  });
  it('accepts another sender than the participant from the server only', () => {
    const claimed = packet({ kind: 'app-message', data: 1, from: 'ada' });
    expect(readPacket(claimed, '')).toMatchObject({ from: 'ada' });
    expect(readPacket(claimed, 'eve')).toMatchObject({ from: 'eve' });
  });
  it.each(['session-data', 'waiting', 'permissions', 'transcription'])(
    'accepts %s from the server only',
    (kind) => {
      const sent = packet({
        kind,
        data: {},
        session_id: 'ben',
        permissions: {},
        event: 'stopped',
        facts: {},
      });
      expect(readPacket(sent, '')).toMatchObject({ kind });
      expect(readPacket(sent, 'eve')).toBeUndefined();
    },
  );
  it.each([
    ['no JSON', new Uint8Array([255])],
    ['a list', packet([])],
    ['an unknown kind', packet({ kind: 'x' })],
  ])('ignores %s', (_, payload) => {
    expect(readPacket(payload, '')).toBeUndefined();
  });
});

describe('chat', () => {
  it('is an application message in the format of Daily’s page', () => {
    const message = chatMessage('Ada', 'Hello', 0);
    expect(message).toMatchObject({
      event: 'chat-msg',
      name: 'Ada',
      message: 'Hello',
      date: '1970-01-01T00:00:00.000Z',
    });
    expect(chatLine(message, 's1', 99)).toEqual({ from: 's1', name: 'Ada', text: 'Hello', atMs: 0 });
  });
  it('uses the current time for an invalid date', () => {
    expect(chatLine({ event: 'chat-msg', message: 'x', date: 'soon' }, 's1', 99)).toMatchObject({
      atMs: 99,
      name: '',
    });
  });
  it.each([undefined, 7, {}, { event: 'chat-msg' }, { event: 'else', message: 'x' }])(
    'is none of %j',
    (data) => {
      expect(chatLine(data, 's1', 0)).toBeUndefined();
    },
  );
});
