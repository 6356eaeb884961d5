import { expect, it } from 'vitest';

import { Caller } from '../call';
import {
  availability,
  clockOf,
  dateOn,
  exceptionFault,
  minuteOf,
  offerBody,
  readOffer,
  weeklyFault,
  type Exception,
} from './availability';

const OFFER = {
  hours: {
    time_zone: 'Europe/Berlin',
    weekly: [
      { weekday: 0, from_minute: 540, to_minute: 690 },
      { weekday: 6, from_minute: 1200, to_minute: 1440 },
    ],
    away: [[5, 6]],
    extra: [],
  },
  slot_s: 900,
  gap_s: 60,
  notice_s: 0,
};

it('keeps what the form does not show', () => {
  const offer = readOffer(OFFER, 'UTC', 0);
  expect(offer.weekly).toEqual([
    { weekday: 0, from: '09:00', to: '11:30' },
    { weekday: 6, from: '20:00', to: '00:00' },
  ]);
  expect(offerBody(offer)).toEqual(OFFER);
});

it('begins without hours in the zone of the browser', () => {
  expect(readOffer(undefined, 'Asia/Tokyo', 0)).toMatchObject({
    timeZone: 'Asia/Tokyo',
    weekly: [],
    slotMinutes: 30,
  });
});

it.each<[string, string, ReturnType<typeof weeklyFault>]>([
  ['09:00', '10:00', undefined],
  ['09:00', '00:00', undefined],
  ['09:00', '09:00', 'order'],
  ['10:00', '09:00', 'order'],
  ['', '09:00', 'incomplete'],
])('from %s to %s', (from, to, fault) => {
  expect(weeklyFault([{ weekday: 0, from, to }])).toBe(fault);
});

const at = (iso: string): number => Date.parse(iso) / 1000;

it('shows exceptions in the zone of the tutor, without those that are over', () => {
  // The second begins in the hour that the clock has twice, at the second 2:30.
  const away = [
    [at('2026-10-01T00:00Z'), at('2026-10-02T00:00Z')],
    [at('2026-10-25T01:30Z'), at('2026-10-26T08:00Z')],
  ];
  const extra = [[at('2026-10-24T08:00Z'), at('2026-10-24T10:00Z')]];
  const stored = { ...OFFER, hours: { ...OFFER.hours, away, extra } };
  const offer = readOffer(stored, 'UTC', at('2026-10-03T00:00Z'));
  expect(offer.exceptions.map(({ kind, from, to }) => [kind, from, to])).toEqual([
    ['extra', '2026-10-24T10:00', '2026-10-24T12:00'],
    ['away', '2026-10-25T02:30', '2026-10-26T09:00'],
  ]);
  expect(offerBody(offer)['hours']).toMatchObject({ away: [away[1]], extra });
  const moved = offer.exceptions.map((each) => ({ ...each, to: '2026-10-27T09:00' }));
  expect(offerBody({ ...offer, exceptions: moved })['hours']).toMatchObject({
    away: [[away[1]?.[0], at('2026-10-27T08:00Z')]],
  });
});

it.each<[Partial<Exception>, ReturnType<typeof exceptionFault>]>([
  [{}, undefined],
  [{ to: '' }, 'incomplete'],
  [{ to: '2026-11-30T09:00' }, 'order'],
  [{ to: '2026-11-30T21:01' }, undefined],
  [{ kind: 'extra', to: '2026-11-30T21:00' }, undefined],
  [{ kind: 'extra', to: '2026-11-30T21:01' }, 'long'],
])('an exception with %j: %s', (changed, fault) => {
  const exception = { kind: 'away', from: '2026-11-30T09:00', to: '2026-12-01T09:00', ...changed } as const;
  expect(exceptionFault([exception], 'Europe/Berlin')).toBe(fault);
});

it('has a date for each day of the week', () => {
  const days = [0, 1, 2, 3, 4, 5, 6].map((each) => new Date(`${dateOn(each)}T00:00Z`).getUTCDay());
  expect(days).toEqual([1, 2, 3, 4, 5, 6, 0]);
});

it('reads and writes times of day', () => {
  expect([0, 545, 1440].map(clockOf)).toEqual(['00:00', '09:05', '00:00']);
  expect(['09:05', '9:05', ''].map(minuteOf)).toEqual([545, undefined, undefined]);
});

it('saves under the quoted id of the tutor', async () => {
  let asked: unknown;
  const caller = new Caller('T', (url, init) => {
    asked = [init.method, url];
    return Promise.resolve(new Response('{}'));
  });
  await availability.save(caller, 't/1', readOffer(OFFER, 'UTC', 0));
  expect(asked).toEqual(['PUT', '/api/v1/availability/t%2F1']);
});
