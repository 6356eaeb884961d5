import { expect, it } from 'vitest';

import { Caller } from '../call';
import { appointments, byDay, dayIn } from './appointments';

const at = (iso: string): number => Date.parse(iso) / 1000;

it('groups free times by the day of a zone', () => {
  const slots = ['2026-11-30T22:30Z', '2026-11-30T23:30Z', '2026-12-01T08:00Z'].map((iso) => ({
    startsAt: at(iso),
    endsAt: at(iso) + 1800,
  }));
  const shape = (zone: string): [string, number][] =>
    byDay(slots, zone).map(({ day, slots: found }) => [day, found.length]);
  expect(shape('UTC')).toEqual([
    ['2026-11-30', 2],
    ['2026-12-01', 1],
  ]);
  expect(shape('Europe/Berlin')).toEqual([
    ['2026-11-30', 1],
    ['2026-12-01', 2],
  ]);
  expect(byDay([], 'UTC')).toEqual([]);
  expect(dayIn(at('2026-11-30T23:30Z'), 'Asia/Tokyo')).toBe('2026-12-01');
});

function caller(answers: Readonly<Record<string, unknown>>) {
  const calls: [string, string, unknown][] = [];
  const fetcher = (url: string, init?: RequestInit): Promise<Response> => {
    const path = url.replace('/api/v1', '');
    const body = typeof init?.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined;
    calls.push([init?.method ?? '', path, body]);
    return Promise.resolve(Response.json(answers[path.split('?')[0] ?? ''] ?? {}));
  };
  return { caller: new Caller('t', fetcher), calls };
}

it('lists tutors by name, or by id where the name is unknown', async () => {
  const data = [
    { tutor: 'ada', name: 'Ada' },
    { tutor: 'bob', name: '' },
  ];
  const { caller: each } = caller({ '/availability': { data } });
  expect(await appointments.tutors(each)).toEqual([data[0], { tutor: 'bob', name: 'bob' }]);
});

it('asks for a week of free times, books one, and cancels it', async () => {
  const path = '/availability/a%2Fb';
  const booking = { session: 'ses_1', person: 'sam', name: '', topic: 'Sums', starts_at: 5, ends_at: 9 };
  const { caller: each, calls } = caller({
    [`${path}/slots`]: { data: [{ starts_at: 5, ends_at: 9 }] },
    [`${path}/bookings`]: booking,
  });
  expect(await appointments.slots(each, 'a/b', 1)).toEqual([{ startsAt: 5, endsAt: 9 }]);
  const made = await appointments.book(each, 'a/b', 5, 'Sums', 'Appointment');
  expect(made).toEqual({
    session: 'ses_1',
    person: 'sam',
    name: 'sam',
    topic: 'Sums',
    startsAt: 5,
    endsAt: 9,
  });
  await appointments.cancel(each, 'a/b', 'ses_1');
  expect(calls).toEqual([
    ['GET', `${path}/slots?since=1&until=604801`, undefined],
    ['POST', `${path}/bookings`, { starts_at: 5, topic: 'Sums', title: 'Appointment' }],
    ['DELETE', `${path}/bookings/ses_1`, undefined],
  ]);
});

it('compares the times of the people of a course', async () => {
  const answers = {
    '/courses': {
      data: [
        { id: 'c1', title: 'Physics', people: { tia: 'tutor', sam: 'student', 'k/m': 'student' } },
        { id: 'c2', title: 'Empty', people: { tia: 'tutor' } },
        { id: 'c3', title: 'Old', archived: true, people: { sam: 'student' } },
      ],
    },
    '/availability/common': { data: [{ starts_at: 100, ends_at: 3700 }], unknown: ['k/m'] },
  };
  const { caller: each, calls } = caller(answers);
  const courses = await appointments.courses(each, 'tia');
  expect(courses).toEqual([{ id: 'c1', title: 'Physics', people: ['tia', 'sam', 'k/m'] }]);
  const common = await appointments.common(each, courses[0]?.people ?? [], 1800);
  expect(common).toEqual({ times: [{ startsAt: 100, endsAt: 3700 }], unknown: 1 });
  expect(calls[1]?.[1]).toBe('/availability/common?people=tia%2Csam%2Ck%2Fm&duration_s=1800');
});
