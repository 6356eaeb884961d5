import { expect, it } from 'vitest';

import { refusalOf } from './uploads';

it.each([
  ['answer.pdf', 100 * 2 ** 20, undefined],
  ['answer.PDF', 100 * 2 ** 20 + 1, 'large'],
  ['photo.jpeg', 20 * 2 ** 20, undefined],
  ['photo.jpeg', 20 * 2 ** 20 + 1, 'image'],
  ['page.html', 10, 'type'],
  ['pdf', 10, 'type'],
])('%s of %i bytes', (name, size, expected) => {
  expect(refusalOf({ name, size })).toBe(expected);
});
