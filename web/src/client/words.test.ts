import { ConnectionError, ConnectionErrorReason, ConnectionState, DisconnectReason } from 'livekit-client';
import { describe, expect, it } from 'vitest';

import { RefusedError, UnreachableError } from './server/server';
import {
  connectionWords,
  deviceWords,
  endingWords,
  joinWords,
  mayPass,
  publishWords,
  screenWords,
  unreachableWords,
} from './words';

describe('deviceWords', () => {
  it('says nothing when both devices work', () => {
    expect(deviceWords({})).toEqual([]);
  });
  it.each([
    [{ camera: 'denied' }, ['your camera']],
    [{ microphone: 'missing' }, ['No microphone']],
    [{ camera: 'denied', microphone: 'denied' }, ['your camera and microphone']],
    [{ camera: 'missing', microphone: 'missing' }, ['No camera or microphone']],
    [{ camera: 'busy', microphone: 'missing' }, ['Your camera', 'No microphone']],
    [{ camera: 'busy', microphone: 'busy' }, ['Your camera', 'Your microphone']],
  ] as const)('%j', (problems, starts) => {
    const words = deviceWords(problems);
    expect(words).toHaveLength(starts.length);
    words.forEach((text, index) => {
      expect(text).toContain(starts[index]);
    });
  });
});

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

describe('publishWords', () => {
  it.each([
    ['the device', new DOMException('', 'NotReadableError'), true, 'another program'],
    ['an insecure page', new TypeError('mediaDevices is undefined'), false, 'https'],
    ['the connection', new Error('publishing timed out'), true, 'connection'],
  ])('blames %s', (_, error, secure, expected) => {
    expect(publishWords('camera', error, secure)).toContain(expected);
  });
});

describe('screenWords', () => {
  it('says nothing when the person closes the picker', () => {
    expect(screenWords(new DOMException('Permission denied', 'NotAllowedError'))).toBeUndefined();
  });
  it.each([
    [new DOMException('Permission denied by system', 'NotAllowedError'), 'system settings'],
    [new DOMException('', 'NotReadableError'), 'could not be shared'],
  ])('says what to do', (error, expected) => {
    expect(screenWords(error)).toContain(expected);
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
