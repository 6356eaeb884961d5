import { expect, it } from 'vitest';

import { actionOf, nextSpeed } from './keys';

const press = (key: string, more: Partial<Record<'ctrlKey' | 'metaKey' | 'altKey', boolean>> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...more,
});

it.each([
  [' ', 'BODY', { kind: 'toggle' }],
  [' ', 'BUTTON', undefined],
  ['K', 'BUTTON', { kind: 'toggle' }],
  ['ArrowLeft', 'INPUT', { kind: 'skip', byS: -5 }],
  ['ArrowLeft', 'SELECT', undefined],
  ['l', 'BODY', { kind: 'skip', byS: 10 }],
  ['x', 'BODY', undefined],
])('%s while %s has the focus', (key, focus, expected) =>
  expect(actionOf(press(key), focus)).toEqual(expected),
);

it('leaves the shortcuts of the browser alone', () => {
  expect(actionOf(press('f', { ctrlKey: true }), 'BODY')).toBeUndefined();
});

it.each([
  [1, 1, 1.25],
  [1, -1, 0.75],
  [2, 1, 2],
  [0.5, -1, 0.5],
] as const)('%d and a step of %d is %d', (speed, by, expected) =>
  expect(nextSpeed(speed, by)).toBe(expected),
);
