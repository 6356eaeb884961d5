import { expect, it } from 'vitest';

import type { SpokenLine } from '../client/recordings/transcript';
import { captionsAt, lineAt, silences, silentUntil } from './transcript';

function line(startS: number, text: string, person = 'tia', wordS = 0.5): SpokenLine {
  const words = text
    .split(' ')
    .map((word, i): [number, number, string] => [startS + i * wordS, startS + (i + 1) * wordS, word]);
  return { person, startS, endS: startS + words.length * wordS, text, words };
}

const LINES = [line(2, 'Good morning'), line(4, 'Hello', 'sam'), line(20, 'Let us begin')];

it.each([
  [0, -1],
  [2, 0],
  [3.9, 0],
  [4, 1],
  [15, 1],
  [99, 2],
])('at %d the line is %d', (timeS, index) => expect(lineAt(LINES, timeS)).toBe(index));

it('shows what each person is saying', () => {
  expect(captionsAt(LINES, 1)).toEqual([]);
  expect(captionsAt(LINES, 3.9)).toEqual([{ person: 'tia', text: 'Good morning' }]);
  expect(captionsAt([line(2, 'one two three four'), line(3, 'yes', 'sam')], 3.2)).toEqual([
    { person: 'tia', text: 'one two three four' },
    { person: 'sam', text: 'yes' },
  ]);
  expect(captionsAt(LINES, 10)).toEqual([]);
});

it('shows a long line in parts that can be read', () => {
  const words = Array.from({ length: 40 }, (_, i) => `word${i}`);
  const long = [line(0, words.join(' '))];
  const first = captionsAt(long, 0)[0]?.text ?? '';
  const later = captionsAt(long, 15)[0]?.text ?? '';
  expect(first.startsWith('word0 ')).toBe(true);
  expect(first.length).toBeLessThanOrEqual(84);
  expect(later).toContain('word30');
  expect(later).not.toContain('word0 ');
});

it('finds the times in which nobody speaks', () => {
  const found = silences(LINES, 60);
  expect(found).toEqual([
    { startS: 5, endS: 19.5 },
    { startS: 22, endS: 59.5 },
  ]);
  expect(silentUntil(found, 4.9)).toBeUndefined();
  expect(silentUntil(found, 5)).toBe(19.5);
  expect(silentUntil(found, 19.5)).toBeUndefined();
  expect(silences([], 60)).toEqual([]);
});
