import { VideoQuality } from 'livekit-client';
import { expect, it } from 'vitest';

import { qualityOf } from './sending';

it.each([
  ['quality-optimized', VideoQuality.HIGH],
  ['bandwidth-optimized', VideoQuality.MEDIUM],
  [{ maxQuality: 'low' }, VideoQuality.LOW],
  [{ encodings: {} }, undefined],
  ['unknown', undefined],
  [undefined, undefined],
])('the setting %j means quality %j', (setting, expected) => {
  expect(qualityOf(setting)).toBe(expected);
});
