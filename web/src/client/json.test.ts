import { describe, expect, it } from 'vitest';

import { fieldsOf, isFields, textOf } from './json';

describe('isFields', () => {
  it.each([
    [{}, true],
    [{ a: 1 }, true],
    [[], false],
    [null, false],
    [undefined, false],
    ['text', false],
  ])('%j: %s', (value, expected) => {
    expect(isFields(value)).toBe(expected);
  });
});

describe('values of the wrong type', () => {
  it('become empty ones', () => {
    expect([fieldsOf([1]), fieldsOf({ a: 1 })]).toEqual([{}, { a: 1 }]);
    expect([textOf(7), textOf('seven')]).toEqual(['', 'seven']);
  });
});
