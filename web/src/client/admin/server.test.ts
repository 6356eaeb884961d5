import { describe, expect, it } from 'vitest';

import { addSample, linePoints, linkVerdict, readServer, type ServerNow } from './server';

const worker = (forwarded: number) => ({ packets_forwarded: forwarded });
const at = (seconds: number, ...forwarded: number[]): ServerNow =>
  readServer({ at: seconds, person_count: 3, room_count: 1, workers: forwarded.map(worker) });

it('reads rooms, people and keys, and anything else as empty', () => {
  const now = readServer({
    rooms: [{ name: 'a', count: 2, people: [{ identity: 'ada', kbps: 300, loss_percent: 2 }, 7] }],
    keys: [{ key: 'k', configured: true, revoked_at: null }],
  });
  expect(now.rooms[0]?.people.map(({ name, kbps }) => [name, kbps])).toEqual([
    ['ada', 300],
    ['', undefined],
  ]);
  expect(now.keys[0]).toMatchObject({ key: 'k', configured: true, revokedAt: undefined });
  expect(readServer({}).workers).toEqual([]);
});

it.each([
  [undefined, 0, 'good'],
  [undefined, 2, 'weak'],
  [800, 0, 'weak'],
  [299, 0, 'poor'],
  [undefined, 10, 'poor'],
] as const)('%s kbit/s and %d %% loss are %s', (kbps, lossPercent, verdict) => {
  expect(linkVerdict({ kbps, lossPercent })).toBe(verdict);
});

describe('addSample', () => {
  it('has rates from the second sample on, but none across a restart of a worker', () => {
    const [first, second, third] = [at(10, 100, 50), at(15, 600, 50), at(20, 700, 10)];
    let samples = addSample([], undefined, first, 2);
    expect(samples.at(-1)?.forwarded).toEqual([undefined, undefined]);
    samples = addSample(samples, first, second, 2);
    expect(samples.at(-1)?.forwarded).toEqual([100, 0]);
    samples = addSample(samples, second, third, 2);
    expect(samples.at(-1)?.forwarded).toEqual([20, undefined]);
    expect(samples.map((each) => each.at)).toEqual([15, 20]);
  });
});

it('draws a line whose last value is at the end, scaled to the largest', () => {
  expect(linePoints([0, 5, 10], 100, 50, 5)).toBe('50,50 75,25 100,0');
  expect(linePoints([undefined, 0], 100, 50, 2)).toBe('100,50');
  expect(linePoints([], 100, 50, 2)).toBe('');
});
