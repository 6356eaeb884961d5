import { expect, it } from 'vitest';

import { collisionKey, readTimetable, ruleOf } from './schedule';

it.each([
  [{ repeat: 'once', count: undefined }, ''],
  [{ repeat: 'once', count: 3 }, ''],
  [{ repeat: 'weekly', count: undefined }, 'FREQ=WEEKLY'],
  [{ repeat: 'fortnightly', count: 5 }, 'FREQ=WEEKLY;INTERVAL=2;COUNT=5'],
] as const)('the rule of %j', (series, rule) => {
  expect(ruleOf(series)).toBe(rule);
});

it('reads lessons with their titles, and which of them collide', () => {
  const first = { series: 'a', key: '2026-11-30T09:00', starts_at: 100, ends_at: 200 };
  const second = { series: 'b', key: '2026-11-30T09:30', starts_at: 150, ends_at: 250 };
  const timetable = readTimetable({
    series: [
      { id: 'a', title: 'Algebra', rule: 'FREQ=WEEKLY' },
      { id: 'b', title: 'Physics', rule: '' },
    ],
    occurrences: [first, second, { ...first, key: '2026-12-07T09:00' }],
    conflicts: [{ first, second }],
  });
  expect(timetable.lessons.map(({ title, repeats, startsAt }) => [title, repeats, startsAt])).toEqual([
    ['Algebra', true, 100],
    ['Physics', false, 150],
    ['Algebra', true, 100],
  ]);
  expect(timetable.collisions.has(collisionKey('b', second.key))).toBe(true);
  expect(timetable.collisions.has(collisionKey('a', '2026-12-07T09:00'))).toBe(false);
});
