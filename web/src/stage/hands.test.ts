import { expect, it } from 'vitest';

import { HAND, handRaisedAt } from './hands';

it.each([
  [undefined, 0],
  ['', 0],
  ['1764350000000', 1_764_350_000_000],
  ['-5', 0],
  ['soon', 0],
  ['Infinity', 0],
])('the attribute %j means %d', (value, at) => {
  expect(handRaisedAt(value === undefined ? {} : { [HAND]: value })).toBe(at);
});
