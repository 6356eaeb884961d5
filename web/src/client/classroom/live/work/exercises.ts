/** Exercises: for staff each student's current work, for students their own; and the observed students. */
import { fieldsOf, listOf, numberOf, textOf, textsOf, wordOf, type Fields } from '../../../json';
import type { SessionEvent } from '../event';

export const STATUSES = ['assigned', 'working', 'submitted', 'returned', 'done'] as const;
export type Status = (typeof STATUSES)[number];

/** A student's current work in the view of staff. */
export interface Work {
  exercise: string;
  status: Status;
  /** Percent. */
  progress: number;
}

/** An exercise in the view of the student it is assigned to; text and note are loaded separately. */
export interface Mine extends Work {
  title: string;
}

export interface Exercises {
  /** For staff: id and title, the latest first. */
  titles: readonly { id: string; title: string }[];
  /** For staff: by person. */
  works: Readonly<Record<string, Work>>;
  /** For students, the latest first. */
  mine: readonly Mine[];
  /** Ids of the students whom staff observe; others are taught. */
  observed: readonly string[];
}

export function readExercises(fields: Fields): Exercises {
  return {
    titles: listOf(fields['exercises']).map((pair) => ({
      id: textOf(listOf(pair)[0]),
      title: textOf(listOf(pair)[1]),
    })),
    works: Object.fromEntries(
      listOf(fields['lines']).map((line) => {
        const [person, exercise, status, progress] = listOf(line);
        return [textOf(person), readWork({ exercise, status, progress })];
      }),
    ),
    mine: listOf(fields['mine']).map((value) => ({
      ...readWork(fieldsOf(value)),
      title: textOf(fieldsOf(value)['title']),
    })),
    observed: textsOf(fields['observed']),
  };
}

function readWork(fields: Fields): Work {
  return {
    exercise: textOf(fields['exercise']),
    status: wordOf(fields['status'], STATUSES),
    progress: numberOf(fields['progress']) ?? 0,
  };
}

/** `me`: the id of this page's person. */
export function applyExercises(part: Exercises, event: SessionEvent, me: string): Exercises {
  const { type, fields } = event;
  const person = textOf(fields['person']);
  switch (type) {
    case 'exercises.added': {
      const exercise = fieldsOf(fields['exercise']);
      const added = { id: textOf(exercise['id']), title: textOf(exercise['title']) };
      return { ...part, titles: [added, ...part.titles] };
    }
    case 'exercises.assigned':
      return assigned(part, fields, me);
    case 'exercises.reported':
      return worked(part, event, me, { status: 'working', progress: numberOf(fields['progress']) ?? 0 });
    case 'exercises.submitted':
      return worked(part, event, me, { status: 'submitted', progress: 100 });
    case 'exercises.given_back':
      return worked(part, event, me, { status: 'returned' });
    case 'exercises.accepted':
      return worked(part, event, me, { status: 'done' });
    case 'exercises.mode_set': {
      const others = part.observed.filter((each) => each !== person);
      return { ...part, observed: fields['mode'] === 'observe' ? [...others, person] : others };
    }
    default:
      return part;
  }
}

function assigned(part: Exercises, fields: Fields, me: string): Exercises {
  const exercise = fieldsOf(fields['exercise']);
  const [id, people] = [textOf(exercise['id']), textsOf(fields['people'])];
  const work: Work = { exercise: id, status: 'assigned', progress: 0 };
  return {
    ...part,
    works: { ...part.works, ...Object.fromEntries(people.map((person) => [person, work])) },
    mine: people.includes(me) ? [{ ...work, title: textOf(exercise['title']) }, ...part.mine] : part.mine,
  };
}

function worked(part: Exercises, { fields }: SessionEvent, me: string, changed: Partial<Work>): Exercises {
  const [exercise, person] = [textOf(fields['exercise']), textOf(fields['person'])];
  const before = part.works[person];
  const work: Work = {
    status: 'assigned',
    progress: 0,
    ...(before?.exercise === exercise && before),
    ...changed,
    exercise,
  };
  return {
    ...part,
    works: { ...part.works, [person]: work },
    mine:
      person === me
        ? part.mine.map((each) => (each.exercise === exercise ? { ...each, ...changed } : each))
        : part.mine,
  };
}
