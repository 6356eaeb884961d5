/** A table for each part of the state: an event, and what is different afterwards. */
import { describe, expect, it } from 'vitest';

import { applyEvent, readState, stalePart, type SessionState } from './state';
import type { Role } from '../sessions';
import { readEvent, unfold } from './event';
import { applyPermissions, may, readPermissions } from './permissions';

const PRESENT = [
  { id: 't', name: 'Tia', role: 'owner' },
  { id: 'sam', name: 'Sam', role: 'student' },
];
const RAW = {
  session: { id: 'ses', title: 'Algebra', code: 'ABC234', phase: 'live', taught_s: 60, now: 1000 },
  people: {
    me: 'owner',
    present: PRESENT,
    count: 2,
    waiting: [{ id: 'kim', name: 'Kim', role: 'student', why: 'knock' }],
  },
  attendance: { lines: [['sam', 'active', 40, 100]] },
  grades: { grades: { sam: '7b' } },
  moderation: { locked: false, spotlight: 'sam', pins: ['sam'], class_grants: {}, my_grants: {} },
  slides: { decks: [{ id: 'd1', title: 'Lenses', pages: 3, file: 'f1', page: 2 }], current: 'd1' },
  whiteboard: { pages: [{ id: 'w1' }, { id: 'w2' }], current: 'w1' },
  files: { files: [{ id: 'f1', by: 't', name: 'a.pdf', size: 9, kind: 'application/pdf', scope: 'staff' }] },
  studio: { current: { id: 's1', kind: 'student_work', source: 'sam', title: '' }, scenes: [] },
  chat: {
    messages: [{ id: 'm1', by: 'sam', at: 990, text: 'Hi', scope: 'all', target: '', held: true }],
    mode: 'open',
  },
  reactions: { counts: { '👏': 1 } },
  hands: { hands: [{ person: 'sam', at: 995 }] },
  questions: {
    questions: [
      { id: 'q1', by: 'sam', at: 1, text: 'Why?', status: 'open', votes: 1 },
      { id: 'q2', by: '', at: 2, text: 'How?', status: 'open', votes: 0 },
    ],
  },
  polls: {
    polls: [
      {
        id: 'p1',
        question: '?',
        kind: 'single',
        options: ['a', 'b'],
        steps: 5,
        status: 'open',
        mine: null,
        results: { answers: 0, counts: [0, 0], texts: [] },
      },
    ],
  },
  help_requests: {
    requests: [
      { id: 'h1', by: 'sam', at: 900, urgency: 'normal', text: 'x', status: 'waiting', responder: '' },
    ],
  },
  exercises: {
    exercises: [['e1', 'Fractions']],
    lines: [['sam', 'e1', 'working', 40, 990]],
    mine: [{ exercise: 'e1', title: 'Fractions', status: 'assigned', progress: 0 }],
    observed: [],
  },
  breakouts: {
    rooms: [{ id: 'r1', name: 'Room 1' }],
    open: true,
    choice: false,
    ends_at: 1500,
    mine: 'r1',
    places: { r1: ['sam'] },
  },
};

/** As `me` sees it: the tutor, or the student Sam. */
function before(me = 't'): SessionState {
  const role = me === 't' ? 'owner' : 'student';
  return readState({ ...RAW, people: { ...RAW.people, me: role } }, me, 1_000_000);
}

type Case = [name: string, event: object, expected: object, me?: string];

function check(part: keyof SessionState, cases: Case[]): void {
  it.each(cases)('%s', (_, event, expected, me) => {
    const state = before(me);
    const kept = structuredClone(state);
    const after = applyEvent(state, readEvent({ at: 1010, by: 't', ...event }));
    expect(after[part]).toMatchObject(expected);
    // Applying never changes the state before.
    expect(state).toEqual(kept);
  });
}

describe('lifecycle', () => {
  check('lifecycle', [
    [
      'updated',
      { type: 'session.updated', title: 'Geometry', settings: { upvotes: false } },
      { title: 'Geometry', upvotes: false },
    ],
    ['scheduled', { type: 'session.scheduled', starts_at: 5 }, { phase: 'scheduled', startsAt: 5 }],
    ['another code', { type: 'session.code_renewed', code: 'XYZ789' }, { code: 'XYZ789' }],
    ['started', { type: 'session.started' }, { phase: 'live', startedAt: 1010, taughtS: 0, taughtAt: 1010 }],
    ['paused: the clock stands', { type: 'session.paused' }, { phase: 'paused', taughtS: 70 }],
    ['resumed: it goes on', { type: 'session.resumed' }, { phase: 'live', taughtS: 60, taughtAt: 1010 }],
    ['ended', { type: 'session.ended' }, { phase: 'ended', endedAt: 1010, taughtS: 70 }],
    ['cancelled', { type: 'session.cancelled' }, { phase: 'cancelled' }],
    ['expired', { type: 'session.expired' }, { phase: 'expired' }],
  ]);
});

describe('slides', () => {
  check('decks', [
    [
      'a deck',
      { type: 'slides.deck_added', deck: 'd2', title: 'Light', pages: 9 },
      [{ id: 'd1' }, { id: 'd2', title: 'Light', pages: 9, page: 1 }],
    ],
    ['turned', { type: 'slides.turned', deck: 'd1', page: 3 }, [{ id: 'd1', page: 3 }]],
    ['another deck turned', { type: 'slides.turned', deck: 'd9', page: 3 }, [{ id: 'd1', page: 2 }]],
    ['gone', { type: 'slides.deck_removed', deck: 'd1' }, []],
  ]);
});

describe('the whiteboard', () => {
  check('board', [
    [
      'a page more',
      { type: 'whiteboard.page_added', page: 'w3' },
      { pages: ['w1', 'w2', 'w3'], current: 'w1' },
    ],
    ['turned', { type: 'whiteboard.turned', page: 'w2' }, { current: 'w2' }],
    [
      'the shown page is gone',
      { type: 'whiteboard.page_removed', page: 'w1' },
      { pages: ['w2'], current: 'w2' },
    ],
  ]);
});

describe('files', () => {
  check('files', [
    [
      'added: the latest first',
      { type: 'files.added', file: { id: 'f2', by: 'sam', name: 'b.txt', size: 1, scope: 'all' } },
      [
        { id: 'f2', name: 'b.txt' },
        { id: 'f1', scope: 'staff' },
      ],
    ],
    ['removed', { type: 'files.removed', file: { id: 'f1' } }, []],
  ]);
});

describe('permissions', () => {
  const draw = { type: 'moderation.allowed', permission: 'whiteboard.draw' };
  check('permissions', [
    ['of all students', { ...draw, person: '', allowed: true }, { everyone: { 'whiteboard.draw': true } }],
    [
      'of this person',
      { ...draw, person: 'sam', allowed: false },
      { mine: { 'whiteboard.draw': false } },
      'sam',
    ],
    ['of somebody else', { ...draw, person: 'kim', allowed: true }, { everyone: {}, mine: {} }, 'sam'],
  ]);

  it.each<[string, Role, object, object, boolean]>([
    ['a student draws when all may', 'student', { 'whiteboard.draw': true }, {}, true],
    [
      'but not where it was taken',
      'student',
      { 'whiteboard.draw': true },
      { 'whiteboard.draw': false },
      false,
    ],
    ['an observer is no student', 'observer', { 'whiteboard.draw': true }, {}, false],
    ['an assistant draws', 'assistant', {}, {}, true],
    ['from the owner nothing is taken', 'owner', {}, { 'whiteboard.draw': false }, true],
  ])('%s', (_, role, everyone, mine, expected) => {
    const permissions = readPermissions({ class_grants: everyone, my_grants: mine });
    expect(may(permissions, role, 'whiteboard.draw')).toBe(expected);
  });

  it('gives back what the role says', () => {
    const part = readPermissions({ class_grants: { 'whiteboard.draw': true } });
    const event = readEvent({ ...draw, person: '', allowed: null });
    expect(applyPermissions(part, event, 'sam').everyone).toEqual({});
  });
});

describe('people', () => {
  const sam = { id: 'sam', name: 'Sam', role: 'student' };
  check('people', [
    ['invited', { type: 'people.invited', person: 'zoe', name: 'Zoë' }, { names: { zoe: 'Zoë' } }],
    [
      'knocks',
      { type: 'people.waits', person: 'zoe', name: 'Zoë', role: 'student', why: 'knock' },
      { waiting: [{ id: 'kim' }, { id: 'zoe' }] },
    ],
    [
      'knocks again and keeps the place',
      { type: 'people.waits', person: 'kim', name: 'Kim K', role: 'student', why: 'knock' },
      { waiting: [{ name: 'Kim K' }] },
    ],
    [
      'is admitted',
      { type: 'people.joined', person: 'kim', name: 'Kim', role: 'student' },
      { waiting: [], present: [...PRESENT, { id: 'kim' }], times: { kim: { since: 1010, beforeS: 0 } } },
    ],
    ['is turned away', { type: 'people.turned_away', person: 'kim' }, { waiting: [] }],
    [
      'leaves',
      { type: 'people.left', person: 'sam', reason: 'left', left_at: 1005 },
      { present: [{ id: 't' }], hands: [], times: { sam: { beforeS: 105 } }, names: { sam: 'Sam' } },
    ],
    [
      'reloads and keeps the hand',
      { type: 'people.left', person: 'sam', reason: 'replaced', left_at: 1005 },
      { present: [{ id: 't' }], hands: [{ person: 'sam' }] },
    ],
    [
      'leaves the lobby',
      { type: 'people.left', person: 'kim', waited: true },
      { waiting: [], present: PRESENT },
    ],
    [
      'is lost',
      { type: 'people.connection_lost', person: 'sam', lost_at: 1008 },
      { present: [{ id: 't' }, { ...sam, lostAt: 1008 }] },
    ],
    [
      'the server was down',
      { type: 'people.recovered', lost_at: 1001 },
      { present: [{ lostAt: 1001 }, { lostAt: 1001 }], waiting: [] },
    ],
    [
      'another role',
      { type: 'people.role_changed', person: 'sam', role: 'assistant' },
      { present: [{}, { role: 'assistant' }], hands: [] },
    ],
    [
      'my role',
      { type: 'people.role_changed', person: 'sam', role: 'assistant' },
      { role: 'assistant' },
      'sam',
    ],
    [
      'another name',
      { type: 'people.renamed', person: 'sam', name: 'Samuel' },
      { present: [{}, { name: 'Samuel' }], names: { sam: 'Samuel' } },
    ],
    [
      'another grade',
      { type: 'grades.changed', person: 'kim', grade: '8' },
      { grades: { sam: '7b', kim: '8' } },
    ],
    [
      'idle',
      { type: 'attendance.activity_changed', by: 'sam', activity: 'idle' },
      { times: { sam: { idle: true, since: 960, beforeS: 60 } } },
    ],
    ['a hand', { type: 'hands.raised', by: 't' }, { hands: [{ person: 'sam' }, { person: 't', at: 1010 }] }],
    ['down', { type: 'hands.lowered', person: 'sam' }, { hands: [] }],
    ['all down', { type: 'hands.all_lowered' }, { hands: [] }],
    ['the end', { type: 'session.ended' }, { present: [], waiting: [], hands: [] }],
  ]);
  it('forgets a lost connection that is back', () => {
    const lost = applyEvent(
      before(),
      readEvent({ type: 'people.connection_lost', person: 'sam', lost_at: 1, at: 1 }),
    );
    const back = applyEvent(lost, readEvent({ type: 'people.connection_restored', person: 'sam', at: 2 }));
    expect(back.people.present[1]?.lostAt).toBeUndefined();
  });
});

describe('direction', () => {
  const scene = { scene: 's2', kind: 'camera', source: 't', title: 'Me' };
  check('direction', [
    ['locked', { type: 'moderation.locked', locked: true }, { locked: true }],
    ['spotlight', { type: 'moderation.spotlit', person: 't' }, { spotlight: 't' }],
    ['pinned', { type: 'moderation.pinned', person: 't' }, { pins: ['sam', 't'] }],
    ['unpinned', { type: 'moderation.unpinned', person: 'sam' }, { pins: [] }],
    [
      'who leaves is off',
      { type: 'people.left', person: 'sam', reason: 'left' },
      { spotlight: '', pins: [], scene: undefined },
    ],
    [
      'who reloads stays on',
      { type: 'people.left', person: 'sam', reason: 'replaced' },
      { spotlight: 'sam', scene: { id: 's1' } },
    ],
    [
      'a scene',
      { type: 'studio.scene_added', ...scene },
      { scenes: [{ id: 's2', kind: 'camera', source: 't', title: 'Me' }] },
    ],
    ['no scene', { type: 'studio.scene_removed', scene: 's2' }, { scenes: [] }],
    ['switched', { type: 'studio.switched', ...scene }, { scene: { id: 's2', kind: 'camera' } }],
    [
      'switched off',
      { type: 'studio.switched', scene: '', kind: null, source: '', title: '' },
      { scene: undefined },
    ],
  ]);
});

describe('chat', () => {
  const sent = { type: 'chat.sent', message: 'm2', text: 'Yes', scope: 'all', target: '', by: 'sam' };
  check('chat', [
    ['sent', sent, { messages: [{ id: 'm1' }, { id: 'm2', by: 'sam', at: 1010, text: 'Yes' }] }],
    ['sent and deleted before we caught up', { ...sent, text: '' }, { messages: [{ id: 'm1' }] }],
    ['edited', { type: 'chat.edited', message: 'm1', text: 'Hello' }, { messages: [{ text: 'Hello' }] }],
    ['deleted', { type: 'chat.deleted', message: 'm1' }, { messages: [{ text: '', deleted: true }] }],
    ['pinned', { type: 'chat.pinned', message: 'm1' }, { messages: [{ pinned: true }] }],
    ['unpinned', { type: 'chat.unpinned', message: 'm1' }, { messages: [{ pinned: false }] }],
    [
      'released to staff, who have it',
      { type: 'chat.approved', message: 'm1', text: 'Hi', author: 'sam' },
      { messages: [{ id: 'm1', held: false }] },
    ],
    [
      'released to others',
      { type: 'chat.approved', message: 'm9', text: 'New', author: 'sam', sent_at: 7, scope: 'all' },
      { messages: [{}, { id: 'm9', by: 'sam', at: 7, text: 'New' }] },
    ],
    ['moderated', { type: 'chat.mode_set', mode: 'closed' }, { mode: 'closed' }],
    ['a reaction', { type: 'reactions.reacted', expression: '👏' }, { reactions: { '👏': 2 } }],
  ]);
});

describe('help', () => {
  check('help', [
    [
      'the urgent first',
      { type: 'help_requests.asked', request: 'h2', by: 'kim', urgency: 'urgent', text: '' },
      [{ id: 'h2', by: 'kim' }, { id: 'h1' }],
    ],
    [
      'who waited longest first',
      { type: 'help_requests.asked', request: 'h2', by: 'kim', urgency: 'normal', text: '' },
      [{ id: 'h1' }, { id: 'h2' }],
    ],
    ['taken on', { type: 'help_requests.responded', request: 'h1', person: 'sam' }, [{ responder: 't' }]],
    ['resolved', { type: 'help_requests.resolved', request: 'h1' }, []],
    ['dismissed', { type: 'help_requests.dismissed', request: 'h1' }, []],
    ['who asked left', { type: 'people.left', person: 'sam', reason: 'left' }, []],
    ['who asked is lost', { type: 'people.left', person: 'sam', reason: 'connection_lost' }, [{ id: 'h1' }]],
    ['the end', { type: 'session.ended' }, []],
  ]);
});

describe('questions', () => {
  check('questions', [
    [
      'asked',
      { type: 'questions.asked', question: 'q3', by: 'kim', text: 'What?', anonymous: false },
      [{ id: 'q1' }, { id: 'q2' }, { id: 'q3', votes: 0, answered: false }],
    ],
    [
      'a vote of somebody',
      { type: 'questions.upvoted', question: 'q1', by: '' },
      [{ votes: 2, voted: false }, {}],
    ],
    [
      'my vote',
      { type: 'questions.upvoted', question: 'q1', by: 'sam' },
      [{ votes: 2, voted: true }, {}],
      'sam',
    ],
    ['taken back', { type: 'questions.taken_back', question: 'q1', by: '' }, [{ id: 'q1', votes: 0 }, {}]],
    [
      'answered',
      { type: 'questions.answered', question: 'q1', text: 'So.' },
      [{ answered: true, answer: 'So.' }, {}],
    ],
    ['resolved', { type: 'questions.resolved', question: 'q1' }, [{ id: 'q2' }]],
    ['dismissed', { type: 'questions.dismissed', question: 'q1' }, [{ id: 'q2' }]],
    ['reopened', { type: 'questions.reopened', question: 'q1' }, [{ answered: false }, {}]],
  ]);
  it('moves a question up that has more votes', () => {
    let state = before();
    for (const at of [1, 2])
      state = applyEvent(state, readEvent({ type: 'questions.upvoted', question: 'q2', at }));
    expect(state.questions.map(({ id }) => id)).toEqual(['q2', 'q1']);
  });
});

describe('polls', () => {
  const poll = { poll: 'p2', question: 'Ready?', kind: 'rating', options: [], steps: 5, anonymous: true };
  check('polls', [
    [
      'drafted',
      { type: 'polls.created', ...poll },
      [{ id: 'p2', status: 'draft', kind: 'rating' }, { id: 'p1' }],
    ],
    [
      'opened for students',
      { type: 'polls.opened', ...poll },
      [{ id: 'p2', status: 'open' }, { id: 'p1' }],
      'sam',
    ],
    [
      'my answer',
      { type: 'polls.answered', poll: 'p1', by: 'sam', ballot: { options: [1] } },
      [{ mine: { options: [1] } }],
      'sam',
    ],
    [
      'an answer of somebody',
      { type: 'polls.answered', poll: 'p1', by: 'kim', ballot: { options: [1] } },
      [{ mine: undefined }],
    ],
    ['closed', { type: 'polls.closed', poll: 'p1' }, [{ status: 'closed' }]],
    [
      'published',
      { type: 'polls.published', poll: 'p1', results: { answers: 1, counts: [0, 1], texts: [] } },
      [{ status: 'published', results: { counts: [0, 1] } }],
    ],
    ['deleted', { type: 'polls.discarded', poll: 'p1' }, []],
    ['the end', { type: 'session.ended' }, [{ status: 'closed' }]],
  ]);
});

describe('exercises', () => {
  const exercise = { id: 'e2', title: 'Roots' };
  const work = { exercise: 'e1', person: 'sam' };
  check('exercises', [
    [
      'added',
      { type: 'exercises.added', exercise },
      { titles: [{ id: 'e2', title: 'Roots' }, { id: 'e1' }] },
    ],
    [
      'assigned',
      { type: 'exercises.assigned', exercise, people: ['sam'], everybody: false },
      { works: { sam: { exercise: 'e2', status: 'assigned', progress: 0 } } },
    ],
    [
      'assigned to me',
      { type: 'exercises.assigned', exercise, people: ['sam'], everybody: true },
      { mine: [{ exercise: 'e2', title: 'Roots' }, { exercise: 'e1' }] },
      'sam',
    ],
    [
      'progress',
      { type: 'exercises.reported', ...work, progress: 70 },
      { works: { sam: { status: 'working', progress: 70 } } },
    ],
    [
      'submitted',
      { type: 'exercises.submitted', ...work },
      { works: { sam: { status: 'submitted', progress: 100 } } },
    ],
    [
      'given back',
      { type: 'exercises.given_back', ...work },
      { works: { sam: { status: 'returned', progress: 40 } } },
    ],
    ['accepted', { type: 'exercises.accepted', ...work }, { works: { sam: { status: 'done' } } }],
    ['accepted: mine', { type: 'exercises.accepted', ...work }, { mine: [{ status: 'done' }] }, 'sam'],
    ['observed', { type: 'exercises.mode_set', person: 'sam', mode: 'observe' }, { observed: ['sam'] }],
    ['taught', { type: 'exercises.mode_set', person: 'sam', mode: 'teach' }, { observed: [] }],
  ]);
});

describe('breakouts', () => {
  check('breakouts', [
    [
      'made anew',
      { type: 'breakouts.made', rooms: [{ id: 'x', name: 'X' }], choice: true },
      { rooms: [{ id: 'x' }], choice: true, mine: '', places: {} },
    ],
    [
      'moved',
      { type: 'breakouts.moved', person: 'kim', room: 'r1' },
      { places: { sam: 'r1', kim: 'r1' }, mine: 'r1' },
    ],
    ['I was moved', { type: 'breakouts.moved', person: 't', room: '' }, { mine: '' }],
    ['shuffled', { type: 'breakouts.shuffled', places: { t: 'r1' } }, { mine: 'r1', places: { t: 'r1' } }],
    ['opened', { type: 'breakouts.opened', ends_at: null }, { open: true, endsAt: undefined }],
    ['called back', { type: 'breakouts.called', ends_at: 1070 }, { open: true, endsAt: 1070 }],
    ['closed', { type: 'breakouts.closed' }, { open: false, endsAt: undefined }],
    ['the end', { type: 'session.ended' }, { open: false }],
    [
      'who is lost keeps the place',
      { type: 'people.left', person: 'sam', reason: 'connection_lost' },
      { places: { sam: 'r1' } },
    ],
  ]);
  it('forgets the place of somebody who left', () => {
    const event = readEvent({ type: 'people.left', person: 'sam', reason: 'left', at: 1 });
    expect(applyEvent(before(), event).breakouts.places).toEqual({});
  });
});

it('leaves parts alone that an event does not concern', () => {
  const state = before();
  const after = applyEvent(state, readEvent({ type: 'chat.pinned', message: 'm1', at: 1 }));
  const others = (Object.keys(state) as (keyof SessionState)[]).filter((part) => part !== 'chat');
  for (const part of others) expect(after[part], part).toBe(state[part]);
});

it.each([
  ['polls.answered', 't', 'polls'],
  ['polls.answered', 'sam', undefined],
  ['questions.reopened', 'sam', 'questions'],
  ['chat.sent', 't', undefined],
])('%s makes the page of %s load %s', (type, me, part) => {
  expect(stalePart(before(me), readEvent({ type, at: 1 }))).toBe(part);
});

describe('unfold', () => {
  it('gives each event the common fields and its value of each column', () => {
    const run = { type: 'hands.raised', count: 2, same: { v: 1 }, columns: { at: [1, 2], by: ['a', 'b'] } };
    expect(unfold([run]).map(({ type, at, by }) => [type, at, by])).toEqual([
      ['hands.raised', 1, 'a'],
      ['hands.raised', 2, 'b'],
    ]);
  });
  it('makes nothing of what is no run', () => {
    expect(unfold([null, 'x', { type: 'a' }])).toEqual([]);
  });
});
