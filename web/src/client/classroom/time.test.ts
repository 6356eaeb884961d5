import { describe, expect, it } from 'vitest';

import type { Phase, Summary } from './sessions';
import { agenda, clock, localOf, momentOf } from './time';

it.each([
  [0, '0:00'],
  [9.9, '0:09'],
  [65, '1:05'],
  [3600, '1:00:00'],
  [3909, '1:05:09'],
  [-3, '0:00'],
])('%d s read %s', (seconds, text) => {
  expect(clock(seconds)).toBe(text);
});

it.each([
  ['2026-11-30T09:15', 'Europe/Berlin', '2026-11-30T08:15Z'],
  ['2026-07-30T09:15', 'Europe/Berlin', '2026-07-30T07:15Z'],
  ['2026-11-30T09:15', 'Asia/Kolkata', '2026-11-30T03:45Z'],
  // The clocks go back at 3:00: 2:30 is there twice, and the first one counts.
  ['2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30Z'],
  // The clocks go forward at 2:00: 2:30 is skipped, and means 3:30.
  ['2026-03-29T02:30', 'Europe/Berlin', '2026-03-29T01:30Z'],
])('%s in %s is %s', (local, zone, utc) => {
  expect(momentOf(local, zone)).toBe(Date.parse(utc) / 1000);
});

it('writes moments as local time', () => {
  expect(localOf(Date.parse('2026-11-30T08:15Z') / 1000, 'Europe/Berlin')).toBe('2026-11-30T09:15');
  expect(localOf(Date.parse('2026-07-30T23:15:07Z') / 1000, 'Asia/Kolkata')).toBe('2026-07-31T04:45:07');
});

it.each([
  ['', 'Europe/Berlin'],
  ['2026-11-30T09:15', 'Nowhere/City'],
])('%j in %s is no moment', (local, zone) => {
  expect(momentOf(local, zone)).toBeUndefined();
});

describe('agenda', () => {
  const day = 1_000_000;
  const session = (id: string, phase: Phase, startsAt?: number, startedAt?: number): Summary => ({
    ...{ id, phase, startsAt, startedAt, title: '', owner: '', code: '', createdAt: day + 5 },
    ...{ endedAt: undefined, taughtS: 0, present: 0 },
  });
  const ids = (sessions: readonly Summary[]): string[] => sessions.map(({ id }) => id);
  it('puts running sessions first, and others by their time', () => {
    const found = agenda(
      [
        session('later', 'scheduled', day + 3 * 86_400),
        session('soon', 'scheduled', day + 2 * 86_400),
        session('tonight', 'scheduled', day + 7200),
        session('now', 'live', undefined, day + 9000),
        session('draft', 'draft'),
        session('old', 'ended', undefined, day - 90_000),
        session('older', 'ended', undefined, day - 190_000),
      ],
      day,
    );
    expect(ids(found.today)).toEqual(['now', 'draft', 'tonight']);
    expect(ids(found.upcoming)).toEqual(['soon', 'later']);
    expect(ids(found.past)).toEqual(['old', 'older']);
  });
});
