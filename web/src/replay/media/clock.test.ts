import { expect, it } from 'vitest';

import { Clock } from './clock';

it('runs at its rate, holds, and jumps', () => {
  const clock = new Clock();
  clock.jump(10, 0);
  expect(clock.time(5000)).toBe(10);
  clock.run(5000);
  expect(clock.time(7000)).toBe(12);
  clock.setRate(2, 7000);
  expect(clock.time(8000)).toBe(14);
  clock.run(8000);
  expect(clock.time(9000)).toBe(16);
  clock.hold(9000);
  expect(clock.time(20_000)).toBe(16);
  clock.run(20_000);
  clock.jump(3, 20_000);
  expect(clock.time(21_000)).toBe(5);
});
