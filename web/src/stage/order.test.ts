import { describe, expect, it } from 'vitest';

import { order, type Placed } from './order';

function camera(identity: string, joinedAt: number, isLocal = false): Placed {
  return { identity, joinedAt, isLocal, isScreen: false };
}

function screen(identity: string, joinedAt: number): Placed {
  return { identity, joinedAt, isLocal: false, isScreen: true };
}

function names(tiles: readonly Placed[]): string[] {
  return tiles.map(({ identity, isScreen }) => identity + (isScreen ? ' (screen)' : ''));
}

describe('order', () => {
  it.each<[string, Placed[], string | undefined, string[]]>([
    ['no tiles', [], undefined, []],
    [
      'the participant who joined first comes first',
      [camera('bob', 2), camera('ada', 1)],
      undefined,
      ['ada', 'bob'],
    ],
    ['the user’s own tile comes last', [camera('me', 1, true), camera('bob', 2)], undefined, ['bob', 'me']],
    [
      'equal times are ordered by identity',
      [camera('b', 1), camera('B', 1), camera('a', 1)],
      undefined,
      ['B', 'a', 'b'],
    ],
    ['a screen is large', [camera('ada', 1), screen('ada', 1)], 'ada', ['ada']],
    [
      'the screen of the participant who joined first is large',
      [screen('bob', 2), screen('ada', 1)],
      'ada',
      ['bob (screen)'],
    ],
    [
      'a second screen comes before its owner',
      [camera('bob', 2), screen('bob', 2), screen('ada', 1), camera('ada', 1)],
      'ada',
      ['ada', 'bob (screen)', 'bob'],
    ],
  ])('%s', (_, tiles, stage, others) => {
    const ordered = order(tiles, (tile) => tile);
    expect(ordered.stage?.identity).toBe(stage);
    expect(names(ordered.others)).toEqual(others);
  });
  it('does not change its argument', () => {
    const tiles = [camera('b', 2), camera('a', 1)];
    order(tiles, (tile) => tile);
    expect(names(tiles)).toEqual(['b', 'a']);
  });
});
