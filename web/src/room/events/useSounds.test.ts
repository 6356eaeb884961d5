import { expect, it } from 'vitest';

import { isHeard } from './useSounds';

it.each([
  [true, 100, true],
  [false, 2, false],
  [5, 5, true],
  [5, 6, false],
])('with ding %j, a meeting of %i people has a sound: %j', (ding, people, expected) => {
  expect(isHeard(ding, people)).toBe(expected);
});
