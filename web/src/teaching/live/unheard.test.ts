import { expect, it } from 'vitest';

import { unheardSince } from './unheard';

it.each<[string, number | undefined, Parameters<typeof unheardSince>[1], number | undefined]>([
  ['a good connection', undefined, { lostAt: undefined, cut: false, now: 100 }, undefined],
  ['nothing passes from now on', undefined, { lostAt: undefined, cut: true, now: 100 }, 100],
  ['nothing has passed for a while', 100, { lostAt: undefined, cut: true, now: 112 }, 100],
  ['sound is back', 100, { lostAt: undefined, cut: false, now: 112 }, undefined],
  ['the server lost the connection', undefined, { lostAt: 95, cut: false, now: 100 }, 95],
  ['nothing passed before the server lost the connection', 90, { lostAt: 95, cut: true, now: 100 }, 90],
])('%s', (_, since, found, expected) => {
  expect(unheardSince(since, found)).toBe(expected);
});
