import { describe, expect, it } from 'vitest';

import { ArrivalWatch, readArrival } from './trouble';

/** Feed readings, one per second; each is [bytes, responses]. Returns the seconds at which the connection had stalled. */
function stalledAt(readings: readonly (readonly [number, number])[]): number[] {
  const watch = new ArrivalWatch();
  return readings.flatMap(([bytes, responses], second) =>
    watch.stalled({ atMs: second * 1000, bytes, responses }) ? [second] : [],
  );
}

describe('ArrivalWatch', () => {
  it('notices within three seconds that media no longer arrive, and that they do again', () => {
    const flowing = [0, 100, 200, 300].map((bytes) => [bytes, 0] as const);
    expect(stalledAt([...flowing, [300, 0], [300, 0], [300, 0], [400, 0], [500, 0]])).toEqual([6]);
  });
  it('does not mistake a room without media for a stalled one', () => {
    const checks = Array.from({ length: 40 }, (_, second) => [0, Math.floor(second / 5)] as const);
    expect(stalledAt(checks)).toEqual([]);
  });
  it('does not mistake the end of all media for a stall while checks are answered', () => {
    const ended = Array.from({ length: 20 }, (_, second) => [300, Math.floor((second + 1) / 2.5)] as const);
    expect(stalledAt([[100, 0], [200, 0], [300, 0], ...ended])).toEqual([]);
  });
  it('notices after twelve seconds that checks are no longer answered', () => {
    const silent = Array.from({ length: 14 }, () => [0, 1] as const);
    expect(stalledAt([[0, 0], ...silent])).toEqual([13, 14]);
  });
  it('starts again when the connection is replaced', () => {
    expect(
      stalledAt([
        [100, 5],
        [200, 5],
        [300, 5],
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
      ]),
    ).toEqual([]);
  });
});

it('reads the nominated pair only', () => {
  const report = new Map<string, Record<string, unknown>>([
    ['a', { type: 'candidate-pair', nominated: false, bytesReceived: 1 }],
    ['b', { type: 'inbound-rtp', bytesReceived: 2 }],
    ['c', { type: 'candidate-pair', nominated: true, bytesReceived: 3, responsesReceived: 4 }],
  ]);
  expect(readArrival(report, 7)).toEqual({ atMs: 7, bytes: 3, responses: 4 });
  expect(readArrival(new Map(), 7)).toBeUndefined();
});
