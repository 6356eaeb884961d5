import { describe, expect, it } from 'vitest';

import type { Segment, SegmentPage } from '../../client/recordings/replay';
import { Rows, shownTime, reachable } from './rows';
import { joined } from './trackPlayer';

const segment = (index: number, startS: number, endS: number, keyframe = true): Segment => ({
  index,
  part: 1,
  offset: index * 100,
  length: 100,
  startS,
  endS,
  keyframe,
});
const page = (segments: Segment[], more = false, gaps: SegmentPage['gaps'] = []): SegmentPage => ({
  segments,
  gaps,
  more,
});

describe('what a track has at a time', () => {
  const rows = new Rows();
  rows.add(
    page([segment(0, 1, 4), segment(1, 4.05, 8, false), segment(2, 12, 16)], false, [
      { startS: 8, endS: 12, reason: 'muted' },
    ]),
    undefined,
  );
  it.each([
    [0, { kind: 'gap', reason: '', nextS: 1 }],
    [2, { kind: 'segment', segment: segment(0, 1, 4) }],
    [4.02, { kind: 'segment', segment: segment(1, 4.05, 8, false) }],
    [9, { kind: 'gap', reason: 'muted', nextS: 12 }],
    [16, { kind: 'gap', reason: '', nextS: undefined }],
  ])('at %d s', (timeS, expected) => expect(rows.at(timeS)).toEqual(expected));
  it('is loaded from the keyframe before', () => {
    expect(rows.run(5, 25).map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(rows.run(10, 15).map(({ index }) => index)).toEqual([2]);
    expect(rows.run(20, 25)).toEqual([]);
  });
});

it('leaves out damaged segments, and those that need them', () => {
  const rows = new Rows();
  rows.add(
    page([
      segment(0, 0, 4),
      segment(1, 4, 8, false),
      segment(2, 8, 12, false),
      segment(3, 12, 16),
      segment(4, 16, 20, false),
    ]),
    undefined,
  );
  rows.exclude(1);
  expect(rows.at(2).kind).toBe('segment');
  expect(rows.at(5)).toEqual({ kind: 'gap', reason: 'undecodable', nextS: 12 });
  expect(rows.at(9)).toEqual({ kind: 'gap', reason: 'undecodable', nextS: 12 });
  expect(rows.at(17)).toEqual({ kind: 'segment', segment: segment(4, 16, 20, false) });
  expect(rows.run(1, 30).map(({ index }) => index)).toEqual([0, 3, 4]);
  expect(rows.run(5, 30).map(({ index }) => index)).toEqual([3, 4]);
  rows.exclude(3);
  expect(rows.at(9)).toEqual({ kind: 'gap', reason: 'undecodable', nextS: undefined });
});

it('does not know what lies before and behind the pages that were loaded', () => {
  const rows = new Rows();
  expect(rows.at(0)).toEqual({ kind: 'unknown' });
  rows.add(page([segment(10, 40, 44), segment(11, 44, 48)], true), undefined);
  expect(rows.at(20)).toEqual({ kind: 'unknown' });
  expect(rows.at(50)).toEqual({ kind: 'unknown' });
  expect(rows.at(45).kind).toBe('segment');
  expect(rows.end).toBeUndefined();
});

it('goes on where a growing track was asked for more', () => {
  const rows = new Rows();
  rows.add(page([segment(0, 0, 4)]), undefined);
  expect(rows.end).toBe(1);
  expect(rows.at(5).kind).toBe('gap');
  rows.add(page([segment(1, 4, 8)]), 1);
  expect(rows.at(5).kind).toBe('segment');
  expect(rows.end).toBe(2);
  rows.add(page([]), 2);
  expect(rows.end).toBe(2);
});

it('asks for octets in one piece of one part, with all that decoding needs', () => {
  const near = [segment(0, 0, 4), segment(1, 4, 8), segment(2, 8, 12)];
  expect(joined(near, 150, 0).length).toBe(1);
  expect(joined(near, 150, 5).length).toBe(2);
  expect(joined(near, 1000, 0).length).toBe(3);
  expect(joined([segment(0, 0, 4), { ...segment(1, 4, 8), part: 2 }], 1000, 0).length).toBe(1);
  expect(joined([segment(0, 0, 4), { ...segment(1, 4, 8), offset: 999 }], 1000, 0).length).toBe(1);
});

it('shows the first frame of a segment a little early rather than wait for it', () => {
  const rows = new Rows();
  rows.add(page([segment(0, 1, 4), segment(1, 4.1, 8)]), undefined);
  expect([0.9, 2, 4.05].map((timeS) => shownTime(rows.at(timeS), timeS))).toEqual([1, 2, 4.1]);
  expect(shownTime(rows.at(0), 0)).toBe(0);
});

describe('reachable', () => {
  const loaded = [
    [1, 2],
    [2.1, 3],
  ] as const;
  it.each([
    [1.5, 1.5],
    [2.08, 2.1],
    [2.03, 1.999],
    [0.9, 1],
    [0.5, 0.5],
    [3.05, 2.999],
    [9, 9],
  ])('%d is shown at %d', (timeS, expected) => {
    expect(reachable(loaded, timeS)).toBeCloseTo(expected, 6);
  });
});
