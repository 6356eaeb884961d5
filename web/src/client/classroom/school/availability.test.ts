import { expect, it } from 'vitest';

import { Caller } from '../call';
import { availability, clockOf, dateOn, minuteOf, offerBody, readOffer, weeklyFault } from './availability';

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
  const offer = readOffer(OFFER, 'UTC');
  expect(offer.weekly).toEqual([
    { weekday: 0, from: '09:00', to: '11:30' },
    { weekday: 6, from: '20:00', to: '00:00' },
  ]);
  expect(offerBody(offer)).toEqual(OFFER);
});

it('begins without hours in the zone of the browser', () => {
  expect(readOffer(undefined, 'Asia/Tokyo')).toMatchObject({
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
  await availability.save(caller, 't/1', readOffer(OFFER, 'UTC'));
  expect(asked).toEqual(['PUT', '/api/v1/availability/t%2F1']);
});
