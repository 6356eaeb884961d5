import { expect, it } from 'vitest';

import type { Mark } from '../client/recordings/replay';
import { binned, momentIn, namesOf, written } from './timeline';

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
