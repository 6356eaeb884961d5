import { expect, it } from 'vitest';

import { loudness } from './loudness';

it.each([
  ['silence', 0, 0],
  ['a quiet room', 0.001, 0],
  ['a whisper', 0.01, 0.37],
  ['speech', 0.1, 0.85],
  ['a shout', 1, 1],
])('%s of amplitude %d fills %d of the bar', (_, amplitude, level) => {
  expect(loudness(new Float32Array(256).fill(amplitude))).toBeCloseTo(level, 1);
});
