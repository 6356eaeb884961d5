import { expect, it } from 'vitest';

import { isHeard } from './useSounds';

it.each([
  [true, 100, true],
  [false, 2, false],
  [5, 5, true],
  [5, 6, false],
])('with %j, in a meeting of %i, it is heard: %j', (ding, people, expected) => {
  expect(isHeard(ding, people)).toBe(expected);
});
