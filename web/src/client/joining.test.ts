import { ConnectionError, ConnectionErrorReason, ConnectionState, DisconnectReason } from 'livekit-client';
import { describe, expect, it } from 'vitest';

import { connectionWords, endingWords, joinWords, mayPass } from './joining';
import { RefusedError, UnreachableError } from './server/server';
import { unreachableWords } from './words';

describe('joinWords', () => {
  it('covers every reason of the client library', () => {
    const reasons = Object.values(ConnectionErrorReason).filter((value) => typeof value === 'number');
    for (const reason of reasons) {
      const error = Object.assign(ConnectionError.timeout(''), { reason });
      expect(joinWords(error), ConnectionErrorReason[reason]).toMatch(/\.$/);
    }
  });
  it('says that the server does not respond', () => {
    expect(joinWords(new UnreachableError(''))).toBe(unreachableWords());
    expect(joinWords(ConnectionError.serverUnreachable('', 0))).toBe(unreachableWords());
  });
  it('passes on why the server refused', () => {
    expect(joinWords(new RefusedError('the room is full'))).toContain('the room is full');
  });
  it('says something useful after an unexpected error', () => {
    expect(joinWords(new TypeError('x is undefined'))).not.toContain('undefined');
  });
});

describe('connectionWords', () => {
  it('covers every state', () => {
    for (const state of Object.values(ConnectionState)) expect(connectionWords(state)).not.toBe('');
  });
});

describe('endingWords', () => {
  it.each([
    [DisconnectReason.CLIENT_INITIATED, 'You left the lesson', true, false],
    [DisconnectReason.DUPLICATE_IDENTITY, 'You joined somewhere else', true, false],
    [DisconnectReason.SERVER_SHUTDOWN, 'The server is restarting', true, true],
    [DisconnectReason.PARTICIPANT_REMOVED, 'You were removed from the lesson', false, false],
    [DisconnectReason.ROOM_DELETED, 'The lesson is over', false, false],
    [DisconnectReason.ROOM_CLOSED, 'The lesson is over', false, false],
    [DisconnectReason.STATE_MISMATCH, 'You are disconnected', true, true],
    [undefined, 'You are disconnected', true, true],
  ])('%s: %s', (reason, title, rejoin, returns) => {
    const ending = endingWords(reason);
    expect(ending.title).toBe(title);
    expect(ending.rejoin !== undefined).toBe(rejoin);
    expect(ending.returns).toBe(returns);
  });
});

describe('mayPass', () => {
  it.each([
    ['a silent server', new UnreachableError(''), true],
    ['a timeout', ConnectionError.timeout(''), true],
    ['a refusal of the page’s request', new RefusedError('no'), false],
    ['a refused token', ConnectionError.notAllowed('', 401), false],
    ['something unexpected', new TypeError('x'), true],
  ])('%s: %s', (_, error, expected) => {
    expect(mayPass(error)).toBe(expected);
  });
});
