import { describe, expect, it } from 'vitest';

import { Looks, looksOf, showNamesOf, sidebarOf, trayButtons } from './looks';

describe('Looks', () => {
  it('tells of changes until somebody no longer listens', () => {
    const looks = new Looks();
    let told = 0;
    const stop = looks.subscribe(() => {
      told += 1;
    });
    looks.set({ sidebar: 'chat' });
    stop();
    looks.set({ sidebar: null });
    expect([told, looks.snapshot().sidebar]).toEqual([1, null]);
  });
});

describe('looksOf', () => {
  it('takes what is meant for looks, of the right type', () => {
    expect(
      looksOf({
        showLeaveButton: true,
        showLocalVideo: 'no',
        url: 'https://x',
        lang: 'de',
        activeSpeakerMode: false,
      }),
    ).toEqual({ showLeaveButton: true, activeSpeakerMode: false, lang: 'de' });
  });
});

describe('trayButtons', () => {
  it('reads the buttons of an application', () => {
    expect(
      trayButtons({
        help: { label: 'Help', tooltip: 'Call us', iconPath: 'x', visualState: 'active' },
        raw: null,
      }),
    ).toEqual([
      { id: 'help', label: 'Help', tooltip: 'Call us', active: true },
      { id: 'raw', label: 'raw', tooltip: '', active: false },
    ]);
  });
  it.each([null, undefined, 'x', 7])('finds none in %j', (value) => {
    expect(trayButtons(value)).toEqual([]);
  });
});

describe('words of daily-js', () => {
  it.each([
    ['people', 'people'],
    ['chat', 'chat'],
    ['breakout', null],
    [null, null],
    [7, null],
  ])('sidebar %j is %j', (view, expected) => {
    expect(sidebarOf(view)).toBe(expected);
  });
  it.each([
    ['always', 'always'],
    ['never', 'never'],
    [false, false],
    ['x', false],
  ])('names %j is %j', (mode, expected) => {
    expect(showNamesOf(mode)).toBe(expected);
  });
});
