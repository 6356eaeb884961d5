import { describe, expect, it, vi } from 'vitest';

import { readState, type SessionState } from '../../client/classroom/live/state';
import { lineOf } from './chat';

const message = { id: 'm1', by: 'sam', at: 10, text: 'Hi', scope: 'all', target: '' };

function state(role: string, given: object, mode = 'open'): SessionState {
  const present = [
    { id: 'tia', name: 'Tia', role: 'owner' },
    { id: 'sam', name: 'Sam', role: 'student' },
  ];
  return readState({ people: { me: role, present }, chat: { messages: [given], mode } }, 'x', 0);
}

function line(role: string, me: string, more: object = {}, mode = 'open') {
  const calls = { post: vi.fn(), patch: vi.fn(), delete: vi.fn() };
  const found = state(role, { ...message, ...more }, mode);
  const [first] = found.chat.messages;
  if (first === undefined) throw new Error('no message');
  return { calls, ...lineOf(found, first, me, calls) };
}

const ids = (given: ReturnType<typeof line>): string[] => (given.actions ?? []).map(({ id }) => id);

describe('what a person may do with a message', () => {
  it.each([
    ['a student with another’s', 'student', 'kim', {}, 'open', []],
    ['its author', 'student', 'sam', {}, 'open', ['chat-edit', 'chat-delete']],
    ['its author while tutors read first', 'student', 'sam', {}, 'staff_first', ['chat-delete']],
    ['a tutor', 'owner', 'tia', {}, 'open', ['chat-pin', 'chat-delete']],
    ['a tutor with a pinned one', 'owner', 'tia', { pinned: true }, 'open', ['chat-unpin', 'chat-delete']],
    ['a tutor with one to tutors only', 'owner', 'tia', { scope: 'staff' }, 'open', ['chat-delete']],
    ['a tutor with one that waits', 'owner', 'tia', { held: true }, 'open', ['chat-approve', 'chat-delete']],
    [
      'a tutor with an own one',
      'owner',
      'tia',
      { by: 'tia' },
      'open',
      ['chat-pin', 'chat-edit', 'chat-delete'],
    ],
  ])('%s', (_, role, me, more, mode, expected) => {
    expect(ids(line(role, me, more, mode))).toEqual(expected);
  });

  it('is a call of the session’s API', () => {
    const { actions, calls } = line('owner', 'sam', { id: 'a/b' });
    for (const action of actions ?? []) action.run('Hello');
    expect(calls.post.mock.calls).toEqual([['/chat/a%2Fb/pin']]);
    expect(calls.patch.mock.calls).toEqual([['/chat/a%2Fb', { text: 'Hello' }]]);
    expect(calls.delete.mock.calls).toEqual([['/chat/a%2Fb']]);
  });
});

it.each([
  ['as it was sent', {}, ''],
  ['changed', { edited_at: 12 }, 'edited'],
  ['to tutors, changed', { scope: 'staff', edited_at: 12 }, 'to the tutors, edited'],
  ['only to one person', { scope: 'person', target: 'sam' }, 'only to Sam'],
  ['that waits', { held: true }, 'waits for the tutor'],
])('says of a message %s', (_, more, note) => {
  expect(line('owner', 'tia', more).note).toBe(note);
});

it('has pinned messages that are older than the others', () => {
  const old = { ...message, id: 'm0', pinned: true };
  const { chat } = readState(
    { chat: { messages: [message], pinned: [old], mode: 'slow', interval_s: 30 } },
    'x',
    0,
  );
  expect(chat.messages.map(({ id }) => id)).toEqual(['m0', 'm1']);
  expect([chat.mode, chat.intervalS]).toEqual(['slow', 30]);
});
