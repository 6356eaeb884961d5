import { describe, expect, it } from 'vitest';

import { appearanceOf, showNamesOf, sidebarOf, trayButtons } from './appearance';

describe('appearanceOf', () => {
  it('reads the appearance and ignores fields of the wrong type', () => {
    expect(
      appearanceOf({
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

describe('values of daily-js', () => {
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
