import { describe, expect, it } from 'vitest';

import { readState, type SessionState } from '../../client/classroom/live/state';
import { pinnedOf, rulesOf } from './stageRules';

function state(role: string, current: object | null = null, spotlight = ''): SessionState {
  const present = [
    { id: 'tutor', name: 'T', role: 'owner' },
    { id: 'sam', name: 'Sam', role: 'student' },
  ];
  return readState(
    {
      people: { me: role, present },
      hands: { hands: [{ person: 'sam', at: 12 }] },
      studio: { current },
      moderation: { spotlight, pins: ['kim'] },
    },
    'me',
    0,
  );
}
const work = { id: 's', kind: 'student_work', source: 'sam', title: '' };

describe('a student’s screen on the stage', () => {
  it.each([
    ['is not there for a tutor', 'owner', null, undefined, false],
    ['is there while the tutor watches it', 'owner', null, 'sam', true],
    ['is there while it is shown to all', 'owner', work, undefined, true],
    ['is there for students, who receive it only then', 'student', null, undefined, true],
  ])('%s', (_, role, scene, watched, shown) => {
    expect(rulesOf(state(role, scene), watched).showsScreen('sam')).toBe(shown);
  });
  it('is there if it is staff’s', () => {
    expect(rulesOf(state('owner'), undefined).showsScreen('tutor')).toBe(true);
  });
});

it('takes hands from the session, in milliseconds', () => {
  const { handAt } = rulesOf(state('owner'), undefined);
  expect(['sam', 'tutor'].map((identity) => handAt({ identity, attributes: {} }))).toEqual([12_000, 0]);
});

it.each([
  ['the watched screen, before all else', work, 'kim', 'tutor', 'screen_share/kim'],
  ['the screen of the scene', work, undefined, 'tutor', 'screen_share/sam'],
  ['the camera of the scene', { ...work, kind: 'camera' }, undefined, 'tutor', 'sam'],
  ['the spotlight', null, undefined, 'tutor', 'tutor'],
  ['the first pin', null, undefined, '', 'kim'],
])('is large: %s', (_, scene, watched, spotlight, key) => {
  expect(pinnedOf(state('owner', scene, spotlight), watched)).toBe(key);
});
