import { describe, expect, it } from 'vitest';

import { boxOf, imageAt, isAtCorner, moved, placed, pulled, scaled } from './images';
import type { Item } from './items';

const image = (id: string, ...points: number[]): Item => ({
  kind: 'image',
  colour: '#000000',
  width: 1,
  points,
  text: '',
  image: { id, file: 'f' },
});

it('puts an image into the middle, with half of the page at most', () => {
  expect(placed(4000, 1000)).toEqual([400, 350, 1200, 550]);
  expect(placed(1000, 4000)).toEqual([744, 225, 856, 675]);
  expect(placed(100, 50)).toEqual([750, 425, 850, 475]);
  expect(boxOf({ points: placed(1, 1) })).toMatchObject({ width: 24, height: 24 });
});

it('moves an image, and keeps a part of it on the page', () => {
  const one = image('a', 100, 100, 300, 200);
  expect(moved(one, 50, -20).points).toEqual([150, 80, 350, 180]);
  expect(moved(one, 5000, 5000).points).toEqual([1576, 876, 1776, 976]);
  expect(moved(one, -5000, -5000).points).toEqual([-176, -76, 24, 24]);
});

describe('resizing', () => {
  const one = image('a', 100, 100, 300, 200);
  it('keeps the ratio of the sides', () => {
    expect(pulled(one, { x: 500, y: 150 }).points).toEqual([100, 100, 500, 300]);
    expect(pulled(one, { x: 110, y: 400 }).points).toEqual([100, 100, 700, 400]);
    expect(scaled(one, 0.5).points).toEqual([100, 100, 200, 150]);
  });
  it('has limits', () => {
    expect(pulled(one, { x: 0, y: 0 }).points).toEqual([100, 100, 148, 124]);
    expect(scaled(one, 1000).points).toEqual([100, 100, 3300, 1700]);
  });
  it('makes an image that another program made tiny no smaller', () => {
    expect(scaled(image('a', 0, 0, 10, 10), 0.1).points).toEqual([0, 0, 10, 10]);
  });
});

it('finds the uppermost image at a point, and its corner', () => {
  const stroke: Item = { kind: 'pen', colour: '#000000', width: 4, points: [0, 0, 900, 900], text: '' };
  const items = [image('below', 0, 0, 400, 400), image('above', 200, 200, 300, 300), stroke];
  expect(imageAt(items, { x: 250, y: 250 })?.image?.id).toBe('above');
  expect(imageAt(items, { x: 50, y: 50 })?.image?.id).toBe('below');
  expect(imageAt(items, { x: 800, y: 800 })).toBeUndefined();
  expect(isAtCorner(image('a', 0, 0, 100, 100), { x: 95, y: 108 }, 20)).toBe(true);
  expect(isAtCorner(image('a', 0, 0, 100, 100), { x: 50, y: 50 }, 20)).toBe(false);
});
