import { describe, expect, it } from 'vitest';

import type { Mark } from '../client/recordings/replay';
import { binned, firstPictureS, momentIn, namesOf, stretches, written } from './timeline';

const mark = (atS: number, kind: string, id = '', text = '', by = ''): Mark => ({
  seq: atS,
  atS,
  kind,
  by,
  id,
  text,
  page: 0,
});

it('puts marks together that would lie upon each other, the most important one first', () => {
  const marks = [
    mark(-1, 'join'),
    mark(1, 'join'),
    mark(2, 'question'),
    mark(50, 'chat'),
    mark(51, 'scene'),
    mark(101, 'chat'),
  ];
  const bins = binned(marks, 100, 10);
  expect(bins.map(({ atS, kind, marks: inside }) => [atS, kind, inside.length])).toEqual([
    [1, 'question', 2],
    [50, 'chat', 1],
  ]);
});

it('never shows more marks than fit', () => {
  const marks = Array.from({ length: 5000 }, (_, index) => mark(index, 'chat', String(index)));
  expect(binned(marks, 5000, 60).length).toBeLessThanOrEqual(60);
});

it('shows what was written up to a time, corrected when it was corrected', () => {
  const marks = [
    mark(1, 'chat', 'a', 'teh'),
    mark(2, 'question', 'a', 'Why?'),
    mark(3, 'chat_edited', 'a', 'the'),
  ];
  const texts = (timeS: number) => written(marks, timeS).map(({ text }) => text);
  expect(texts(0)).toEqual([]);
  expect(texts(2)).toEqual(['teh', 'Why?']);
  expect(texts(3)).toEqual(['the', 'Why?']);
});

it('knows people by their last names', () => {
  const marks = [
    mark(1, 'join', '', 'Sam', 's'),
    mark(2, 'name', '', 'Samuel', 's'),
    mark(3, 'leave', '', '', 's'),
  ];
  expect(namesOf(marks)).toEqual(new Map([['s', 'Samuel']]));
});

it.each([
  ['#t=123', 123],
  ['#t=1:02:03', 3723],
  ['#t=2:05', 125],
  ['#access_token=x&t=7.5', 7.5],
  ['#t=-1', undefined],
  ['#t=soon', undefined],
  ['', undefined],
])('finds the moment in %s', (hash, expected) => expect(momentIn(hash)).toBe(expected));

const chapter = (startS: number, endS: number, title = '') => ({
  kind: 'scene',
  startS,
  endS,
  title,
  page: 0,
});

it('shows chapters as stretches that fill the timeline, and which one is played', () => {
  const found = stretches([chapter(0, 50), chapter(50, 75, 'Light'), chapter(75, 90)], 60, 100, 10);
  expect(found.map(({ start, width, current }) => [start, width, current])).toEqual([
    [0, 50, false],
    [50, 25, true],
    [75, 25, false],
  ]);
  expect(stretches([chapter(0, 50), chapter(50, 100)], 100, 100, 10)[1]?.current).toBe(true);
});

it('leaves out a single chapter, chapters too narrow to press, and those behind the end', () => {
  expect(stretches([chapter(0, 100)], 0, 100, 10)).toEqual([]);
  const many = Array.from({ length: 200 }, (_, index) => chapter(index, index + 1));
  const found = stretches(many, 19.5, 100, 10);
  expect(found.map((each) => each.chapter.startS)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  expect(found.findIndex(({ current }) => current)).toBe(1);
});

describe('firstPictureS', () => {
  it.each<[string, Parameters<typeof firstPictureS>[0], number]>([
    ['nothing', [], 0],
    [
      'the first picture, not the first sound',
      [
        { kind: 'audio', startS: 0.1 },
        { kind: 'video', startS: 1 },
        { kind: 'video', startS: 0.2 },
      ],
      0.2,
    ],
    ['sound alone', [{ kind: 'audio', startS: 0.1 }], 0.1],
    ['a track from before the recording', [{ kind: 'video', startS: -0.4 }], 0],
  ])('%s', (_, tracks, expected) => {
    expect(firstPictureS(tracks)).toBe(expected);
  });
});
