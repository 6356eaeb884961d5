import { expect, it } from 'vitest';

import { orderPeople } from './orderPeople';

it('puts the user first, then raised hands in their order', () => {
  const person = (name: string, hand = 0, isLocal = false) => ({
    name,
    isLocal,
    hand,
  });
  const people = [
    person('ada'),
    person('ben', 200),
    person('me', 0, true),
    person('cleo', 100),
    person('dan'),
  ];
  expect(orderPeople(people, ({ hand }) => hand).map(({ name }) => name)).toEqual([
    'me',
    'cleo',
    'ben',
    'ada',
    'dan',
  ]);
});
