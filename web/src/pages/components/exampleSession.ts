/** A session of made-up people that is connected to nothing, in which everything happens at once. */
import { Caller } from '../../client/classroom/call';
import { FollowedSession } from '../../client/classroom/live/session';
import { readState } from '../../client/classroom/live/state';
import type { ReportContent } from '../../teaching/report/Report';
import { SessionWire } from '../../teaching/live';
import { exampleWire } from './exampleRoom';

const NOW = 1_764_350_000;
const POLL = { kind: 'single', options: ['2/5', '5/6'], steps: 5, anonymous: false };

/** The state as the server sends it to the tutor, or to the student `person-1`. */
function exampleState(
  names: ReadonlyMap<string, string>,
  tutor: boolean,
  scene: string | null,
): Record<string, unknown> {
  const [me, ...others] = [...names].map(([id, name]) => ({ id, name }));
  const role = (isMe: boolean): string => (isMe === tutor ? 'owner' : 'student');
  const present = [
    { ...me, role: role(true) },
    ...others.map((person, index) => ({
      ...person,
      role: !tutor && index > 0 ? 'student' : role(false),
      ...(index === 3 && { lost_at: NOW - 12 }),
    })),
  ];
  const students = present.filter((person) => person.role === 'student').map(({ id }) => id ?? '');
  return {
    session: {
      id: 'ses_example',
      title: 'Algebra, 8b',
      code: tutor ? 'K7M4PQ' : '',
      phase: 'live',
      taught_s: 754,
      now: NOW,
    },
    people: {
      me: role(true),
      present,
      count: present.length,
      waiting: tutor
        ? [{ id: 'w', name: '<img src=x onerror=alert(1)>', role: 'student', why: 'knock' }]
        : [],
    },
    grades: { grades: tutor ? Object.fromEntries(students.slice(1).map((id) => [id, '8b'])) : {} },
    attendance: { lines: students.map((id) => [id, 'active', 600, 900]) },
    moderation: { locked: false, spotlight: '', pins: [] },
    chat: {
      messages: [
        { id: 'm1', by: students[0], at: NOW, text: 'Hello <b>all</b>', scope: 'all', target: '' },
        {
          id: 'm2',
          by: present[0]?.id,
          at: NOW,
          text: 'Page 7, please',
          scope: 'all',
          target: '',
          pinned: true,
        },
        { id: 'm3', by: students[1], at: NOW, text: 'Is 5/6 right?', scope: 'all', target: '', held: tutor },
      ],
      mode: 'staff_first',
      interval_s: 30,
    },
    reactions: { counts: { '👏': 3 } },
    hands: { hands: students.slice(0, 1).map((person) => ({ person, at: NOW })) },
    questions: {
      questions: [
        {
          id: 'q',
          by: students[0],
          at: NOW,
          text: 'Why is a/0 not defined?',
          status: 'answered',
          votes: 2,
          answer: 'No number times 0 is a.',
        },
        { id: 'r', by: '', at: NOW, text: 'Is 0 even?', status: 'open', votes: 0 },
      ],
    },
    polls: {
      polls: [
        {
          ...POLL,
          id: 'p',
          question: 'What is 1/2 + 1/3?',
          status: 'open',
          mine: null,
          results: tutor ? { answers: 3, counts: [1, 2], texts: [] } : null,
        },
        {
          ...POLL,
          id: 'o',
          question: 'Ready?',
          status: 'published',
          mine: null,
          results: { answers: 4, counts: [4, 0], texts: [] },
        },
      ],
    },
    help_requests: {
      requests: tutor
        ? [
            { id: 'h', by: students[0], at: NOW - 75, urgency: 'urgent', text: 'I am lost', responder: '' },
            {
              id: 'i',
              by: students[1] ?? students[0],
              at: NOW - 20,
              urgency: 'normal',
              text: '',
              responder: me?.id,
            },
          ]
        : [],
    },
    studio: {
      current:
        scene === null ? null : { id: 's', kind: scene, source: scene === 'slides' ? 'd' : '', title: '' },
      scenes: [],
    },
    slides: { decks: [{ id: 'd', title: 'Fractions.pdf', pages: 12, page: 3 }], current: 'd' },
    whiteboard: { pages: [{ id: 'w', title: '' }], current: 'w' },
    files: {
      files: [
        {
          ...{ id: 'f', by: 'me', name: 'Fractions and their sums, with all exercises of the year.pdf' },
          ...{ size: 2_345_678, kind: 'application/pdf', scope: 'all' },
        },
        { id: 'g', by: students[0], name: 'answer.txt', size: 800, kind: 'text/plain', scope: 'staff' },
      ],
    },
    exercises: tutor
      ? {
          exercises: [['e', 'Fractions']],
          lines: students.map((id, index) => [
            id,
            'e',
            index === 0 ? 'submitted' : 'working',
            index === 0 ? 100 : 40,
            NOW,
          ]),
          mine: [],
          observed: [],
        }
      : {
          exercises: [],
          lines: [],
          mine: [{ exercise: 'e', title: 'Fractions', status: 'working', progress: 50 }],
          observed: [],
        },
    breakouts: {
      rooms: [
        { id: 'a', name: 'Room 1' },
        { id: 'b', name: 'Room 2' },
      ],
      open: false,
      choice: false,
      mine: '',
      places: tutor ? { a: students.slice(0, 1), b: students.slice(1, 2) } : {},
    },
  };
}

export function exampleSession(people: number, tutor: boolean, scene: string | null): SessionWire {
  const { room } = exampleWire(people);
  const names = new Map([
    ['me', 'Tia'],
    ...[...room.remoteParticipants.values()].map(({ identity, name }) => [identity, name ?? ''] as const),
  ]);
  const nowhere = new Caller('', (url) =>
    url.includes('/whiteboards/')
      ? Promise.resolve(Response.json({ page: 'w', updates: [] }))
      : Promise.reject(new Error('connected to nothing')),
  );
  const session = new FollowedSession(nowhere, 'ses_example', 'me');
  session.receive({ type: 'state', seq: 1, outside: false, state: exampleState(names, tutor, scene) });
  return new SessionWire(room, session, 'me');
}

/** A report of such a session. */
export function exampleReport(): ReportContent {
  const names = new Map([
    ['me', 'Tia'],
    ['person-0', 'Ada Lovelace'],
    ['person-1', '<img src=x onerror=alert(1)>'],
  ]);
  const state = readState(exampleState(names, true, null), 'me', NOW * 1000);
  return {
    session: {
      ...{ id: 'ses_example', title: 'Algebra, 8b', phase: 'ended', owner: 'me', code: '', createdAt: NOW },
      ...{ startsAt: undefined, startedAt: NOW, endedAt: NOW + 754, taughtS: 754, present: 0 },
    },
    attendance: [...names].map(([person, name], index) => ({
      ...{ person, name, role: index === 0 ? 'owner' : 'student', firstJoinedAt: NOW, lastLeftAt: NOW + 754 },
      ...{ totalS: 754 - index, lessonS: 754 - index, lostS: index, talkS: 60 * index, stays: [] },
    })),
    polls: state.polls,
    questions: [{ type: 'questions.asked', at: NOW, by: 'person-0', fields: { text: 'Is 0 even?' } }],
    messages: state.chat.messages,
    files: state.files,
    recorded: true,
  };
}
