import { expect, it } from 'vitest';

import { readEvent } from '../../client/classroom/live/event';
import { moveOf } from './useSessionEvents';

it.each<[string, object, string | undefined]>([
  ['joins', { type: 'people.joined', person: 'sam' }, 'joined'],
  ['leaves', { type: 'people.left', person: 'sam', reason: 'left' }, 'left'],
  ['reloads the page', { type: 'people.left', person: 'sam', reason: 'replaced' }, undefined],
  ['leaves the lobby', { type: 'people.left', person: 'sam', reason: 'left', waited: true }, undefined],
  ['is this person', { type: 'people.joined', person: 'me' }, undefined],
  ['goes to a breakout', { type: 'breakouts.moved', person: 'sam', room: 'r1' }, undefined],
])('somebody who %s', (_, event, kind) => {
  expect(moveOf(readEvent(event), 'me')?.kind).toBe(kind);
});
