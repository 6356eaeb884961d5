import { expect, it } from 'vitest';

import { remaining } from './Countdown';

it.each([
  [300_001, undefined],
  [300_000, '5:00'],
  [299_001, '5:00'],
  [61_000, '1:01'],
  [9000, '0:09'],
  [0, '0:00'],
  [-5000, '0:00'],
])('%i ms left are shown as %s', (ms, expected) => {
  expect(remaining(ms)).toBe(expected);
});
