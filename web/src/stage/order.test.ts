import { describe, expect, it } from 'vitest';

import { order, type Placed, type Wanted } from './order';

function camera(identity: string, joinedAt: number, isLocal = false, handAt = 0): Placed {
  return { identity, joinedAt, isLocal, isScreen: false, handAt };
}

function screen(identity: string, joinedAt: number): Placed {
  return { identity, joinedAt, isLocal: false, isScreen: true, handAt: 0 };
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
    [
      'the camera of the presenter comes first, whenever they joined',
      [camera('ada', 1), camera('bob', 2), camera('cleo', 3), screen('cleo', 3)],
      'cleo',
      ['cleo', 'ada', 'bob'],
    ],
    [
      'raised hands come first, in the order in which they were raised',
      [
        camera('ada', 1),
        camera('bob', 2, false, 80),
        camera('cleo', 3, false, 70),
        camera('me', 0, true, 60),
      ],
      undefined,
      ['cleo', 'bob', 'ada', 'me'],
    ],
  ])('%s', (_, tiles, stage, others) => {
    const ordered = order(tiles, (tile) => tile);
    expect(ordered.stage?.identity).toBe(stage);
    expect(names(ordered.others)).toEqual(others);
  });
  it.each<[string, Wanted, string | undefined]>([
    ['nobody', {}, 'ada (screen)'],
    ['the speaker, who gives way to a screen', { speaker: 'bob' }, 'ada (screen)'],
    ['a camera that is pinned above the screen', { pinned: 'bob' }, 'bob'],
    ['the camera of the participant who shares', { pinned: 'ada' }, 'ada'],
    ['another screen', { pinned: 'screen_share/bob' }, 'bob (screen)'],
    ['somebody who has left', { pinned: 'zoe' }, 'ada (screen)'],
  ])('with %s', (_, wanted, large) => {
    const tiles = [camera('ada', 1), screen('ada', 1), camera('bob', 2), screen('bob', 2)];
    const { stage } = order(tiles, (tile) => tile, wanted);
    expect(stage === undefined ? undefined : names([stage])[0]).toBe(large);
  });
  it('shows the speaker large while there is no screen', () => {
    const { stage } = order([camera('ada', 1), camera('bob', 2)], (tile) => tile, { speaker: 'bob' });
    expect(stage?.identity).toBe('bob');
  });
  it('does not change its argument', () => {
    const tiles = [camera('b', 2), camera('a', 1)];
    order(tiles, (tile) => tile);
    expect(names(tiles)).toEqual(['b', 'a']);
  });
});
