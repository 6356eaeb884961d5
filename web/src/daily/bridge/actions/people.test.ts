import { describe, expect, it } from 'vitest';

import { changeOf, recipients } from './people';

describe('recipients', () => {
  it.each([
    ['*', '*'],
    [undefined, '*'],
    ['s1', ['s1']],
    [
      ['s1', 's2', 7],
      ['s1', 's2'],
    ],
  ])('%j', (to, expected) => {
    expect(recipients(to)).toEqual(expected);
  });
});

describe('changeOf', () => {
  it.each([
    [
      { setAudio: false, setVideo: true },
      { setAudio: false, setVideo: true },
    ],
    [{ setScreenShare: false }, { setScreenShare: false }],
    [{ setScreenShare: true }, {}],
    [{ eject: true }, { eject: true }],
    [{ eject: false, setSubscribedTracks: true, styles: {} }, {}],
    [
      { updatePermissions: { canSend: new Set(['audio']), hasPresence: true } },
      { updatePermissions: { canSend: ['audio'], hasPresence: true } },
    ],
  ])('%j becomes the request %j', (properties, expected) => {
    expect(changeOf(properties)).toEqual(expected);
  });
});
