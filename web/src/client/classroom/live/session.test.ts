import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Caller } from '../call';
import { FollowedSession } from './session';

const STATE = {
  people: { me: 'student', present: [{ id: 'sam', name: 'Sam', role: 'student' }], waiting: [] },
  session: { phase: 'live' },
};
const inside = { type: 'state', seq: 5, outside: false, state: STATE };
const raised = (after: number, upto: number) => ({
  type: 'events',
  after,
  upto,
  runs: [{ type: 'hands.raised', count: 1, same: { at: 1, by: 'sam' }, columns: {} }],
});

function followed(answers: Record<string, object> = {}) {
  const asked: string[] = [];
  const caller = new Caller('T', (url) => {
    asked.push(url);
    const answer = Object.entries(answers).find(([path]) => url.endsWith(path))?.[1];
    return answer === undefined
      ? Promise.reject(new Error('nothing there'))
      : Promise.resolve(new Response(JSON.stringify(answer)));
  });
  return { asked, session: new FollowedSession(caller, 'ses', 'sam') };
}

const hands = (session: FollowedSession): number =>
  session.state.snapshot().inside?.people.hands.length ?? -1;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('FollowedSession', () => {
  it('applies events to the state, also those after numbers that were not for this person', () => {
    const { session } = followed();
    session.receive(inside);
    session.receive(raised(7, 8));
    expect(hands(session)).toBe(1);
  });
  it('ignores what it has already, for example from the stream and over media', () => {
    const { session } = followed();
    const heard = vi.fn();
    session.onEvent(heard);
    session.receive(inside);
    session.receive(raised(5, 6));
    session.receive(raised(5, 6));
    expect(heard).toHaveBeenCalledOnce();
    expect(hands(session)).toBe(1);
  });
  it('passes on captions, which have no number', () => {
    const { session } = followed();
    const heard = vi.fn();
    const stop = session.onCaptions(heard);
    session.receive(inside);
    session.receive({ type: 'captions', line: 'T-1', text: 'hello' });
    session.receive(raised(5, 6));
    expect(heard).toHaveBeenCalledExactlyOnceWith({ type: 'captions', line: 'T-1', text: 'hello' });
    expect(hands(session)).toBe(1);
    stop();
    session.receive({ type: 'captions', line: 'T-1', text: 'hello' });
    expect(heard).toHaveBeenCalledOnce();
  });
  it('loads the state when a message repeats a part of what it has', async () => {
    const { session, asked } = followed({ '/door': { door: null }, '/state': { seq: 9, ...STATE } });
    session.receive(inside);
    session.receive(raised(4, 9));
    await vi.runAllTimersAsync();
    expect(asked).toEqual(['/api/v1/sessions/ses/door', '/api/v1/sessions/ses/state']);
    session.receive(raised(9, 10));
    expect(hands(session)).toBe(1);
  });
  it('shows the door to somebody in the lobby, and the room after the admission', () => {
    const { session } = followed();
    const door = { seq: 3, title: 'Algebra', phase: 'live', standing: 'waiting', why: 'knock', place: 2 };
    session.receive({ type: 'state', seq: 3, outside: true, state: door });
    expect(session.state.snapshot().door).toMatchObject({ title: 'Algebra', place: 2, waiting: true });
    session.receive(inside);
    expect(session.state.snapshot()).toMatchObject({
      door: undefined,
      inside: { lifecycle: { phase: 'live' } },
    });
  });
  it('loads the counts of polls once for many answers', async () => {
    const polls = { polls: [{ id: 'p', status: 'open', results: { answers: 2, counts: [2] } }] };
    const { session, asked } = followed({ '/polls': polls });
    session.receive({ ...inside, state: { ...STATE, people: { ...STATE.people, me: 'owner' } } });
    const answered = { type: 'polls.answered', count: 1, same: { at: 1, by: '' }, columns: {} };
    session.receive({ type: 'events', after: 5, upto: 6, runs: [answered] });
    session.receive({ type: 'events', after: 6, upto: 7, runs: [answered] });
    await vi.runAllTimersAsync();
    expect(asked).toEqual(['/api/v1/sessions/ses/polls']);
    expect(session.state.snapshot().inside?.polls[0]?.results?.answers).toBe(2);
  });
  it.each([[{}], [{ type: 'events' }], [{ type: 'nonsense', seq: 9 }]])('survives %j', (message) => {
    const { session } = followed();
    session.receive(inside);
    session.receive(message);
    expect(hands(session)).toBe(0);
  });
});
