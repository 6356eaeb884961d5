import { expect, it } from 'vitest';

import { HAND } from '../../stage/hands';
import { orderPeople } from './orderPeople';

it('puts the user first, then raised hands in their order', () => {
  const person = (name: string, hand = '', isLocal = false) => ({
    name,
    isLocal,
    attributes: { [HAND]: hand },
  });
  const people = [
    person('ada'),
    person('ben', '200'),
    person('me', '', true),
    person('cleo', '100'),
    person('dan'),
  ];
  expect(orderPeople(people).map(({ name }) => name)).toEqual(['me', 'cleo', 'ben', 'ada', 'dan']);
});
