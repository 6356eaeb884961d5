import { expect, it } from 'vitest';

import { returnDelayMs } from './returning';

it.each([
  [0, 0, 500],
  [0, 1, 1000],
  [1, 1, 2000],
  [3, 0.5, 6000],
  [4, 1, 15_000],
  [69, 1, 15_000],
  [70, 1, undefined],
])('attempt %d with chance %d: after %d ms', (attempt, random, ms) => {
  expect(returnDelayMs(attempt, random)).toBe(ms);
});
