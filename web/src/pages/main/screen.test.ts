import { describe, expect, it } from 'vitest';

import { endingWords } from '../../client/words';
import { FIRST_SCREEN, nextScreen, type Screen, type ScreenEvent } from './screen';

const ending = endingWords(undefined);
const lobby: Screen<string> = FIRST_SCREEN;
const lesson: Screen<string> = { name: 'lesson', room: 'R1' };
const ended: Screen<string> = { name: 'ended', ending, problem: '', joining: false };

const CASES: [string, Screen<string>, ScreenEvent<string>, Screen<string>][] = [
  ['joining from the lobby', lobby, { type: 'joining' }, { ...FIRST_SCREEN, joining: true }],
  ['joining', { ...FIRST_SCREEN, joining: true }, { type: 'joined', room: 'R1' }, lesson],
  [
    'failing to join',
    { ...FIRST_SCREEN, joining: true },
    { type: 'failed', problem: 'no' },
    { ...FIRST_SCREEN, problem: 'no' },
  ],
  [
    'trying again clears the problem',
    { ...FIRST_SCREEN, problem: 'no' },
    { type: 'joining' },
    { ...FIRST_SCREEN, joining: true },
  ],
  ['the end', lesson, { type: 'ended', room: 'R1', ending }, ended],
  ['the end of an earlier room', lesson, { type: 'ended', room: 'R0', ending }, lesson],
  ['an end that arrives late', lobby, { type: 'ended', room: 'R1', ending }, lobby],
  ['joining again', ended, { type: 'joining' }, { ...ended, joining: true }],
  [
    'joined again',
    { ...ended, joining: true },
    { type: 'joined', room: 'R2' },
    { name: 'lesson', room: 'R2' },
  ],
  [
    'failing to join again keeps the screen, with the reason',
    { ...ended, joining: true },
    { type: 'failed', problem: 'no' },
    { ...ended, problem: 'no' },
  ],
  ['back to the lobby', ended, { type: 'back' }, FIRST_SCREEN],
  ['no way back from a lesson', lesson, { type: 'back' }, lesson],
  ['a failure that arrives late', lesson, { type: 'failed', problem: 'no' }, lesson],
];

describe('nextScreen', () => {
  it.each(CASES)('%s', (_, before, event, after) => {
    expect(nextScreen(before, event)).toEqual(after);
  });
});
