import { afterEach, expect, it, vi } from 'vitest';

import { isHeard, playSound } from './useSounds';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it.each([
  [true, 100, true],
  [false, 2, false],
  [5, 5, true],
  [5, 6, false],
])('with ding %j, a meeting of %i people has a sound: %j', (ding, people, expected) => {
  expect(isHeard(ding, people)).toBe(expected);
});

it('frees a sound that the browser does not allow to play', () => {
  vi.useFakeTimers();
  const close = vi.fn();
  const gain = { setValueAtTime: vi.fn(), linearRampToValueAtTime: vi.fn() };
  const node = () => ({ connect: vi.fn(), start: vi.fn(), stop: vi.fn(), frequency: {}, gain });
  vi.stubGlobal(
    'AudioContext',
    class {
      currentTime = 0;
      close = close;
      createGain = node;
      createOscillator = node;
    },
  );
  playSound('join');
  expect(close).not.toHaveBeenCalled();
  vi.runAllTimers();
  expect(close).toHaveBeenCalledOnce();
});
