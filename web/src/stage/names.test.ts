import { describe, expect, it } from 'vitest';

import { caption, hue, initials } from './names';

describe('initials', () => {
  it.each([
    ['Ada Lovelace', 'AL'],
    ['ada', 'A'],
    ['Juan Carlos de la Vega', 'JV'],
    ['  Ada   Lovelace ', 'AL'],
    ['李 明', '李明'],
    ['😀 smile', '😀S'],
    ['', '?'],
    ['   ', '?'],
  ])('%j: %s', (name, expected) => {
    expect(initials(name)).toBe(expected);
  });
});

describe('caption', () => {
  it.each([
    [{ isLocal: false, isScreen: false }, 'Ada'],
    [{ isLocal: true, isScreen: false }, 'Ada (you)'],
    [{ isLocal: false, isScreen: true }, 'Ada’s screen'],
  ])('%j', (what, expected) => {
    expect(caption('Ada', what)).toBe(expected);
  });
});

describe('hue', () => {
  it('is deterministic and between 0 and 360', () => {
    for (const identity of ['', 'ada', '李明', '😀'.repeat(300)]) {
      expect(hue(identity)).toBe(hue(identity));
      expect(hue(identity)).toBeGreaterThanOrEqual(0);
      expect(hue(identity)).toBeLessThan(360);
    }
  });
  it('spreads over a class', () => {
    const class30 = Array.from({ length: 30 }, (_, index) => hue(`student-${index}`));
    const sectors = new Set(class30.map((degrees) => Math.floor(degrees / 30)));
    expect(sectors.size).toBeGreaterThanOrEqual(8);
  });
});
