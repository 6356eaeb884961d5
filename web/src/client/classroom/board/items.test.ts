import { describe, expect, it } from 'vitest';

import { readItem, touches, type Item } from './items';

const RED = '#c0271d';
const IMAGE = { kind: 'image', id: 'i', file: 'f', points: [1, 2, 3, 4] };
const item = (kind: Item['kind'], points: number[], text = ''): Item => ({
  kind,
  colour: RED,
  width: 4,
  points,
  text,
});

describe('readItem', () => {
  it.each([
    ['nothing', null],
    ['an unknown kind', { kind: 'film', colour: RED, width: 4, points: [1, 2] }],
    ['half a point', { kind: 'pen', colour: RED, width: 4, points: [1, 2, 3] }],
    ['no points', { kind: 'pen', colour: RED, width: 4, points: [] }],
    ['a colour that is a style', { kind: 'pen', colour: 'url(x)', width: 4, points: [1, 2] }],
    ['a width that covers the page', { kind: 'pen', colour: RED, width: 4000, points: [1, 2] }],
    ['points that are no numbers', { kind: 'pen', colour: RED, width: 4, points: ['1', 2] }],
  ])('refuses %s', (_what, value) => {
    expect(readItem(value)).toBeUndefined();
  });

  it.each([
    ['without a file', { ...IMAGE, file: '' }],
    ['without an id', { ...IMAGE, id: 5 }],
    ['with a long id of a file', { ...IMAGE, file: 'f'.repeat(129) }],
    ['without a size', { ...IMAGE, points: [1, 2, 1, 4] }],
    ['turned over', { ...IMAGE, points: [3, 2, 1, 4] }],
    ['with one corner', { ...IMAGE, points: [1, 2] }],
  ])('refuses an image %s', (_what, value) => {
    expect(readItem(value)).toBeUndefined();
  });

  it('reads an image', () => {
    expect(readItem(IMAGE)).toMatchObject({
      ...{ kind: 'image', points: [1, 2, 3, 4], image: { id: 'i', file: 'f' } },
    });
  });

  it('reads an item without text', () => {
    expect(readItem({ kind: 'pen', colour: RED, width: 4, points: [1, 2] })).toEqual(item('pen', [1, 2]));
  });
});

describe('touches', () => {
  it.each<[string, Item, number, number, boolean]>([
    ['a line in its middle', item('line', [0, 0, 100, 0]), 50, 9, true],
    ['beside a line', item('line', [0, 0, 100, 0]), 50, 40, false],
    ['beyond the end of a line', item('line', [0, 0, 100, 0]), 140, 0, false],
    ['a dot', item('pen', [10, 10]), 12, 12, true],
    ['the edge of a rectangle', item('rect', [0, 0, 200, 100]), 200, 50, true],
    ['the inside of a rectangle', item('rect', [0, 0, 200, 100]), 100, 50, false],
    ['the edge of an ellipse', item('ellipse', [0, 0, 200, 100]), 100, 100, true],
    ['the inside of an ellipse', item('ellipse', [0, 0, 200, 100]), 100, 50, false],
    ['a letter', item('text', [0, 0], 'abc'), 20, 10, true],
    ['an image', { ...item('rect', [0, 0, 100, 100]), kind: 'image' }, 50, 0, false],
    ['below a text', item('text', [0, 0], 'abc'), 20, 90, false],
  ])('%s', (_what, each, x, y, expected) => {
    expect(touches(each, { x, y }, 10)).toBe(expected);
  });
});
