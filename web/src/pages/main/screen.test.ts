import { DisconnectReason } from 'livekit-client';
import { describe, expect, it } from 'vitest';

import { endingWords } from '../../client/joining';
import { FIRST_SCREEN, nextScreen, type Ended, type Screen, type ScreenEvent } from './screen';

const ending = endingWords(undefined);
const lobby: Screen<string> = FIRST_SCREEN;
const lesson: Screen<string> = { name: 'lesson', session: 'R1' };
const ended: Ended = { name: 'ended', ending, problem: '', joining: false, attempt: 0 };
const left: Ended = { ...ended, ending: endingWords(DisconnectReason.CLIENT_INITIATED), attempt: undefined };

const CASES: [string, Screen<string>, ScreenEvent<string>, Screen<string>][] = [
  ['joining from the lobby', lobby, { type: 'joining' }, { ...FIRST_SCREEN, joining: true }],
  ['joining', { ...FIRST_SCREEN, joining: true }, { type: 'joined', session: 'R1' }, lesson],
  [
    'failing to join',
    { ...FIRST_SCREEN, joining: true },
    { type: 'failed', problem: 'no', final: false },
    { ...FIRST_SCREEN, problem: 'no' },
  ],
  [
    'trying again clears the problem',
    { ...FIRST_SCREEN, problem: 'no' },
    { type: 'joining' },
    { ...FIRST_SCREEN, joining: true },
  ],
  ['the end', lesson, { type: 'ended', session: 'R1', ending }, ended],
  ['the end of an earlier room', lesson, { type: 'ended', session: 'R0', ending }, lesson],
  ['an end that arrives late', lobby, { type: 'ended', session: 'R1', ending }, lobby],
  ['joining again', ended, { type: 'joining' }, { ...ended, joining: true }],
  [
    'joined again',
    { ...ended, joining: true },
    { type: 'joined', session: 'R2' },
    { name: 'lesson', session: 'R2' },
  ],
  [
    'failing to join again keeps the screen, with the reason',
    { ...left, joining: true },
    { type: 'failed', problem: 'no', final: false },
    { ...left, problem: 'no' },
  ],
  [
    'the end that the user wanted, after which the page stays',
    lesson,
    { type: 'ended', session: 'R1', ending: left.ending },
    left,
  ],
  [
    'failing to come back without anybody’s doing, after which the page tries again in silence',
    { ...ended, joining: true },
    { type: 'failed', problem: 'no', final: false },
    { ...ended, attempt: 1 },
  ],
  [
    'a verdict of the server, after which it does not',
    { ...ended, joining: true, attempt: 3 },
    { type: 'failed', problem: 'no', final: true },
    { ...ended, problem: 'no', attempt: undefined },
  ],
  ['giving up', ended, { type: 'gaveUp' }, { ...ended, attempt: undefined }],
  ['giving up elsewhere', lobby, { type: 'gaveUp' }, lobby],
  ['back to the lobby', ended, { type: 'back' }, FIRST_SCREEN],
  ['no way back from a lesson', lesson, { type: 'back' }, lesson],
  ['a failure that arrives late', lesson, { type: 'failed', problem: 'no', final: false }, lesson],
];

describe('nextScreen', () => {
  it.each(CASES)('%s', (_, before, event, after) => {
    expect(nextScreen(before, event)).toEqual(after);
  });
});
