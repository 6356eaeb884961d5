import { describe, expect, it } from 'vitest';

import {
  addDays,
  addMonths,
  byDay,
  dayOf,
  daysOf,
  firstWeekdayOf,
  turn,
  type Entry,
  type Span,
} from './calendar';

const s = (utc: string): number => Date.parse(utc) / 1000;

it.each([
  ['2026-11-30T23:30Z', 'UTC', '2026-11-30'],
  ['2026-11-30T23:30Z', 'Europe/Berlin', '2026-12-01'],
  ['2026-11-30T03:30Z', 'America/New_York', '2026-11-29'],
  // The day of 25 hours, from its first moment to its last.
  ['2026-10-24T22:00Z', 'Europe/Berlin', '2026-10-25'],
  ['2026-10-25T22:59Z', 'Europe/Berlin', '2026-10-25'],
  ['2026-10-25T23:00Z', 'Europe/Berlin', '2026-10-26'],
  // The day of 23 hours.
  ['2026-03-28T23:00Z', 'Europe/Berlin', '2026-03-29'],
  ['2026-03-29T21:59Z', 'Europe/Berlin', '2026-03-29'],
  ['2026-03-29T22:00Z', 'Europe/Berlin', '2026-03-30'],
  // A zone that skipped a date.
  ['2011-12-30T09:59Z', 'Pacific/Apia', '2011-12-29'],
  ['2011-12-30T10:00Z', 'Pacific/Apia', '2011-12-31'],
])('%s in %s is on %s', (utc, zone, day) => {
  expect(dayOf(s(utc), zone)).toBe(day);
});

it.each<[Span, string, number, string, string, number]>([
  ['week', '2026-11-29', 1, '2026-11-23', '2026-11-29', 7],
  ['week', '2026-11-29', 7, '2026-11-29', '2026-12-05', 7],
  ['month', '2026-11-29', 1, '2026-10-26', '2026-12-06', 42],
  ['month', '2026-11-29', 7, '2026-11-01', '2026-12-05', 35],
  ['month', '2026-02-01', 7, '2026-02-01', '2026-02-28', 28],
  ['month', '2028-02-29', 1, '2028-01-31', '2028-03-05', 35],
])('the %s of %s that begins on weekday %d', (span, day, first, from, to, count) => {
  const days = daysOf(span, day, first);
  expect([days[0], days.at(-1), days.length]).toEqual([from, to, count]);
  expect(new Set(days).size).toBe(count);
});

it('goes on by weeks and months', () => {
  expect(turn('week', '2026-12-30', 1)).toBe('2027-01-06');
  expect(turn('month', '2026-01-31', 1)).toBe('2026-02-01');
  expect(turn('month', '2026-01-31', -1)).toBe('2025-12-01');
  expect(addDays('2026-03-01', -1)).toBe('2026-02-28');
  expect(addMonths('2026-12-15', 1)).toBe('2027-01-01');
});

describe('byDay', () => {
  const entry = (id: string, utc: string): Entry => ({ id, title: id, at: s(utc), href: undefined });
  it("sorts a day's entries by time, in the chosen zone", () => {
    const entries = [
      entry('late', '2026-11-30T22:00Z'),
      entry('early', '2026-11-30T08:00Z'),
      entry('night', '2026-11-30T23:30Z'),
    ];
    const titles = (zone: string) =>
      [...byDay(entries, zone)].map(([day, found]) => [day, found.map(({ id }) => id)]);
    expect(titles('UTC')).toEqual([['2026-11-30', ['early', 'late', 'night']]]);
    expect(titles('Europe/Berlin')).toEqual([
      ['2026-11-30', ['early', 'late']],
      ['2026-12-01', ['night']],
    ]);
  });
});

it('begins the week as the language does, or on Monday', () => {
  expect([1, 7]).toContain(firstWeekdayOf('en-US'));
  expect(firstWeekdayOf('de')).toBe(1);
});
