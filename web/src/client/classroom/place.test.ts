import { expect, it } from 'vitest';

import { invitationIn, placePath, readPlace, shownCode, tokenIn, type Place } from './place';

it.each<[string, Place]>([
  ['/', { kind: 'home' }],
  ['/sessions', { kind: 'home' }],
  ['/sessions/', { kind: 'home' }],
  ['/sessions/password', { kind: 'password' }],
  ['/sessions/ses_1', { kind: 'session', id: 'ses_1' }],
  ['/sessions/code/K7M4PQ', { kind: 'code', code: 'K7M4PQ' }],
  ['/sessions/a%2Fb', { kind: 'session', id: 'a/b' }],
  ['/sessions/%zz', { kind: 'home' }],
  ['/join/maths', { kind: 'home' }],
])('%s', (path, place) => {
  expect(readPlace(path)).toEqual(place);
});

it.each<Place>([
  { kind: 'home' },
  { kind: 'password' },
  { kind: 'admin' },
  { kind: 'account' },
  { kind: 'appointments' },
  { kind: 'library' },
  { kind: 'session', id: 'a b/c' },
  { kind: 'code', code: 'K7M4PQ' },
])('%j has a path that leads back to it', (place) => {
  expect(readPlace(placePath(place))).toEqual(place);
});

it('reads the token of a link', () => {
  expect(tokenIn('#access_token=a.b.c')).toBe('a.b.c');
  expect(tokenIn('')).toBe('');
  expect(invitationIn('#invitation=lpw_x')).toBe('lpw_x');
  expect(invitationIn('#access_token=x')).toBe('');
});

it('shows a code in two halves', () => {
  expect(['K7M4PQ', 'X'].map(shownCode)).toEqual(['K7M-4PQ', 'X']);
});
