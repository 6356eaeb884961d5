import { describe, expect, it } from 'vitest';

import { moveBy, transformOf, WHOLE, zoomBy } from './zoom';

describe('zoomBy', () => {
  it('keeps the point under the pointer in its place', () => {
    const at = { x: 0.75, y: 0.25 };
    const zoomed = zoomBy(WHOLE, 2, at);
    // Where a point of the picture is shown: the middle, plus its distance from there, moved and scaled.
    const shown = (point: number, offset: number): number => 0.5 + (point - 0.5 + offset) * zoomed.scale;
    expect(shown(at.x, zoomed.x)).toBeCloseTo(at.x);
    expect(shown(at.y, zoomed.y)).toBeCloseTo(at.y);
  });
  it('ends at 8 times and at the whole picture, which is in the middle', () => {
    expect(zoomBy(WHOLE, 100).scale).toBe(8);
    expect(zoomBy(zoomBy(WHOLE, 4, { x: 0, y: 1 }), 0.01, { x: 1, y: 0 })).toEqual(WHOLE);
  });
});

describe('moveBy', () => {
  it('moves by the distance on the screen', () => {
    expect(moveBy({ scale: 4, x: 0, y: 0 }, 0.4, -0.2)).toEqual({ scale: 4, x: 0.1, y: -0.05 });
  });
  it('shows no edge of the picture', () => {
    expect(moveBy({ scale: 2, x: 0, y: 0 }, 5, -5)).toEqual({ scale: 2, x: 0.25, y: -0.25 });
    expect(moveBy(WHOLE, 0.3, 0.3)).toEqual(WHOLE);
  });
});

it('becomes a transform', () => {
  expect(transformOf({ scale: 2, x: 0.25, y: -0.1 })).toBe('scale(2.000) translate(25.00%, -10.00%)');
});
