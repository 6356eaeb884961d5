/** The people present and in the lobby, raised hands, grades, and the time of each person in the session. */
import { fieldsOf, listOf, numberOf, textOf, wordOf, type Fields } from '../../json';
import { isStaff, ROLES, type Role } from '../sessions';
import type { SessionEvent } from './event';

export interface Person {
  id: string;
  name: string;
  role: Role;
  /** When the connection was lost, in seconds since 1970. */
  lostAt: number | undefined;
}

export interface Waiting extends Person {
  why: 'knock' | 'not_started';
}

export interface Hand {
  person: string;
  at: number;
}

/** A person's time in the session; for staff. Times are those of the server's clock. */
export interface Times {
  idle: boolean;
  /** When the current visit began. */
  since: number;
  /** Seconds in the session before the current visit. */
  beforeS: number;
}

export interface People {
  me: string;
  role: Role;
  present: readonly Person[];
  waiting: readonly Waiting[];
  hands: readonly Hand[];
  times: Readonly<Record<string, Times>>;
  /** Class or year at school, such as 7b; for staff. */
  grades: Readonly<Record<string, string>>;
  /** Includes people who have left, if this page has seen them. */
  names: Readonly<Record<string, string>>;
}

function readPerson(value: unknown): Waiting {
  const fields = fieldsOf(value);
  return {
    id: textOf(fields['id']),
    name: textOf(fields['name']),
    role: wordOf(fields['role'], ROLES),
    lostAt: numberOf(fields['lost_at']),
    why: wordOf(fields['why'], ['knock', 'not_started']),
  };
}

/** `now`: the server's clock. `names`: the names that the page knew before. */
export function readPeople(
  state: Fields,
  me: string,
  now: number,
  names: Readonly<Record<string, string>>,
): People {
  const people = fieldsOf(state['people']);
  const present = listOf(people['present']).map(readPerson);
  const waiting = listOf(people['waiting']).map(readPerson);
  const lines = listOf(fieldsOf(state['attendance'])['lines']).map((line) => {
    const [person, activity, visitS, totalS] = listOf(line);
    const [visit, total] = [numberOf(visitS) ?? 0, numberOf(totalS) ?? 0];
    const times: Times = { idle: activity === 'idle', since: now - visit, beforeS: total - visit };
    return [textOf(person), times] as const;
  });
  return {
    me,
    role: wordOf(people['me'], ROLES),
    present: present.map(({ id, name, role, lostAt }) => ({ id, name, role, lostAt })),
    waiting,
    hands: listOf(fieldsOf(state['hands'])['hands']).map((hand) => ({
      person: textOf(fieldsOf(hand)['person']),
      at: numberOf(fieldsOf(hand)['at']) ?? 0,
    })),
    times: Object.fromEntries(lines),
    grades: Object.fromEntries(
      Object.entries(fieldsOf(fieldsOf(state['grades'])['grades'])).map(([id, grade]) => [id, textOf(grade)]),
    ),
    names: { ...names, ...Object.fromEntries([...present, ...waiting].map(({ id, name }) => [id, name])) },
  };
}

export function applyPeople(part: People, event: SessionEvent): People {
  const { type, at, by, fields } = event;
  const person = textOf(fields['person']);
  switch (type) {
    case 'people.invited':
      return { ...part, names: { ...part.names, [person]: textOf(fields['name']) } };
    case 'people.waits':
      return waits(part, event);
    case 'people.joined':
      return joined(part, event);
    case 'people.turned_away':
      return { ...part, waiting: without(part.waiting, person) };
    case 'people.left':
      return left(part, event);
    case 'people.connection_lost':
      return change(part, person, { lostAt: numberOf(fields['lost_at']) ?? at });
    case 'people.connection_restored':
      return change(part, person, { lostAt: undefined });
    case 'people.recovered': {
      const lostAt = numberOf(fields['lost_at']) ?? at;
      const present = part.present.map((each) => ({ ...each, lostAt: each.lostAt ?? lostAt }));
      return { ...part, present, waiting: [] };
    }
    case 'people.role_changed':
      return roleChanged(part, person, wordOf(fields['role'], ROLES));
    case 'people.renamed': {
      const name = textOf(fields['name']);
      return { ...change(part, person, { name }), names: { ...part.names, [person]: name } };
    }
    case 'grades.changed':
      return { ...part, grades: { ...part.grades, [person]: textOf(fields['grade']) } };
    case 'attendance.activity_changed': {
      const times = part.times[by];
      if (times === undefined) return part;
      return { ...part, times: { ...part.times, [by]: { ...times, idle: fields['activity'] === 'idle' } } };
    }
    case 'hands.raised':
      return { ...part, hands: [...lowered(part.hands, by), { person: by, at }] };
    case 'hands.lowered':
      return { ...part, hands: lowered(part.hands, person) };
    case 'hands.all_lowered':
      return { ...part, hands: [] };
    case 'session.ended':
    case 'session.cancelled':
    case 'session.expired':
      return { ...part, present: [], waiting: [], hands: [] };
    default:
      return part;
  }
}

function without<P extends Person>(people: readonly P[], id: string): P[] {
  return people.filter((each) => each.id !== id);
}

function lowered(hands: readonly Hand[], person: string): Hand[] {
  return hands.filter((hand) => hand.person !== person);
}

function change(part: People, id: string, fields: Partial<Person>): People {
  return {
    ...part,
    present: part.present.map((each) => (each.id === id ? { ...each, ...fields } : each)),
    waiting: part.waiting.map((each) => (each.id === id ? { ...each, ...fields } : each)),
  };
}

function waits(part: People, { fields }: SessionEvent): People {
  const person = readPerson({ ...fields, id: fields['person'] });
  const known = part.waiting.some(({ id }) => id === person.id);
  return {
    ...part,
    present: without(part.present, person.id),
    // A person who knocks again keeps the place in the queue.
    waiting: known
      ? part.waiting.map((each) => (each.id === person.id ? person : each))
      : [...part.waiting, person],
    names: { ...part.names, [person.id]: person.name },
  };
}

function joined(part: People, { at, fields }: SessionEvent): People {
  const { id, name, role } = readPerson({ ...fields, id: fields['person'] });
  const before = part.times[id];
  return {
    ...part,
    role: id === part.me ? role : part.role,
    present: [...without(part.present, id), { id, name, role, lostAt: undefined }],
    waiting: without(part.waiting, id),
    times: { ...part.times, [id]: { idle: false, since: at, beforeS: before?.beforeS ?? 0 } },
    names: { ...part.names, [id]: name },
  };
}

function left(part: People, { fields }: SessionEvent): People {
  const id = textOf(fields['person']);
  const waiting = without(part.waiting, id);
  if (fields['waited'] === true) return { ...part, waiting };
  const times = part.times[id];
  const leftAt = numberOf(fields['left_at']) ?? 0;
  return {
    ...part,
    waiting,
    present: without(part.present, id),
    // A person who reloads the page keeps the place in the queue.
    hands: fields['reason'] === 'replaced' ? part.hands : lowered(part.hands, id),
    times:
      times === undefined
        ? part.times
        : { ...part.times, [id]: { ...times, beforeS: times.beforeS + Math.max(leftAt - times.since, 0) } },
  };
}

function roleChanged(part: People, person: string, role: Role): People {
  const changed = change(part, person, { role });
  return {
    ...changed,
    role: person === part.me ? role : part.role,
    // Staff need not raise a hand.
    hands: isStaff(role) ? lowered(part.hands, person) : part.hands,
  };
}
