import { describe, expect, it } from 'vitest';

import { invitationPath, randomRoom, readAddress, roomPath, roomProblem, signallingUrl } from './address';

it('names a room by nine letters', () => {
  expect(randomRoom(new Uint8Array([0, 25, 26, 51, 52, 255, 1, 2, 3, 4]))).toBe('aza-zav-bcd');
});

describe('readAddress', () => {
  it.each([
    ['/', '', { room: '', token: '', invitation: '' }],
    ['/join/algebra', '', { room: 'algebra', token: '', invitation: '' }],
    ['/join/algebra/', '', { room: 'algebra', token: '', invitation: '' }],
    ['/join/year%207%2F2', '', { room: 'year 7/2', token: '', invitation: '' }],
    ['/join/%E0%A4%A', '', { room: '', token: '', invitation: '' }],
    ['/join/', '', { room: '', token: '', invitation: '' }],
    ['/join/a/b', '', { room: '', token: '', invitation: '' }],
    ['/elsewhere/algebra', '', { room: '', token: '', invitation: '' }],
    ['/join/algebra', '#token=a.b.c', { room: 'algebra', token: 'a.b.c', invitation: '' }],
    ['/', '#other=1&token=a.b.c', { room: '', token: 'a.b.c', invitation: '' }],
    ['/join/algebra', '#invitation=a.b.c', { room: 'algebra', token: '', invitation: 'a.b.c' }],
    ['/', '#token', { room: '', token: '', invitation: '' }],
    ['/', '#chapter', { room: '', token: '', invitation: '' }],
  ])('%s%s', (pathname, hash, expected) => {
    expect(readAddress({ pathname, hash })).toEqual(expected);
  });
});

describe('roomPath', () => {
  it.each(['algebra', 'year 7/2', 'a?b#c', '数学', '50%'])('leads back to the room %s', (room) => {
    const url = new URL(roomPath(room), 'https://lectern.example');
    expect(readAddress(url).room).toBe(room);
  });
});

it('an invitation leads to its room', () => {
  const url = new URL(invitationPath('year 7/2', 'a.b.c'), 'https://lectern.example');
  expect(readAddress(url)).toEqual({ room: 'year 7/2', token: '', invitation: 'a.b.c' });
});

describe('signallingUrl', () => {
  it.each([
    ['http:', 'localhost:7880', 'ws://localhost:7880'],
    ['https:', 'lectern.example', 'wss://lectern.example'],
  ])('%s//%s', (protocol, host, expected) => {
    expect(signallingUrl({ protocol, host })).toBe(expected);
  });

  it('has the base path', () => {
    expect(signallingUrl({ protocol: 'https:', host: 'a.example' }, '/b/c/')).toBe('wss://a.example/b/c');
  });
});

describe('roomProblem', () => {
  it.each(['', '.', '..', 'x'.repeat(257)])('refuses %j', (room) => {
    expect(roomProblem(room)).toBeTypeOf('string');
  });
  it.each(['a', '...', 'x'.repeat(256), '数学'])('accepts %j', (room) => {
    expect(roomProblem(room)).toBeUndefined();
  });
});
