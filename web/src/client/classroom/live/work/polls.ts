/** Polls, the latest first. */
import { fieldsOf, isFields, listOf, numberOf, textOf, textsOf, wordOf, type Fields } from '../../../json';
import type { SessionEvent } from '../event';

export const KINDS = ['single', 'multiple', 'rating', 'short'] as const;
const STATUSES = ['draft', 'open', 'closed', 'published'] as const;

export interface Ballot {
  options: readonly number[];
  rating: number;
  text: string;
}

export interface Results {
  answers: number;
  counts: readonly number[];
  texts: readonly string[];
}

export interface Poll {
  id: string;
  question: string;
  kind: (typeof KINDS)[number];
  options: readonly string[];
  /** Highest value of a rating; the lowest is 1. */
  steps: number;
  anonymous: boolean;
  status: (typeof STATUSES)[number];
  mine: Ballot | undefined;
  results: Results | undefined;
}

const numbers = (value: unknown): number[] => listOf(value).map((each) => numberOf(each) ?? 0);

function readBallot(value: unknown): Ballot | undefined {
  if (!isFields(value)) return undefined;
  return {
    options: numbers(value['options']),
    rating: numberOf(value['rating']) ?? 0,
    text: textOf(value['text']),
  };
}

function readResults(value: unknown): Results | undefined {
  if (!isFields(value)) return undefined;
  return {
    answers: numberOf(value['answers']) ?? 0,
    counts: numbers(value['counts']),
    texts: textsOf(value['texts']),
  };
}

function readPoll(value: unknown): Poll {
  const fields = fieldsOf(value);
  return {
    id: textOf(fields['id']),
    question: textOf(fields['question']),
    kind: wordOf(fields['kind'], KINDS),
    options: textsOf(fields['options']),
    steps: numberOf(fields['steps']) ?? 5,
    anonymous: fields['anonymous'] === true,
    status: wordOf(fields['status'], STATUSES),
    mine: readBallot(fields['mine']),
    results: readResults(fields['results']),
  };
}

export function readPolls(fields: Fields): Poll[] {
  return listOf(fields['polls']).map(readPoll);
}

/** `me`: the id of this page's person. After an answer, staff load the counts again: the event does not contain the replaced answer. */
export function applyPolls(polls: readonly Poll[], event: SessionEvent, me: string): readonly Poll[] {
  const { type, by, fields } = event;
  const id = textOf(fields['poll']);
  const change = (changed: Partial<Poll>): Poll[] =>
    polls.map((each) => (each.id === id ? { ...each, ...changed } : each));
  switch (type) {
    case 'polls.created':
      return [readPoll({ ...fields, id, status: 'draft' }), ...polls];
    case 'polls.opened':
      return polls.some((each) => each.id === id)
        ? change({ status: 'open' })
        : [readPoll({ ...fields, id, status: 'open' }), ...polls];
    case 'polls.answered':
      return by === me ? change({ mine: readBallot(fields['ballot']) }) : polls;
    case 'polls.closed':
      return change({ status: 'closed' });
    case 'polls.published':
      return change({ status: 'published', results: readResults(fields['results']) });
    case 'polls.discarded':
      return polls.filter((each) => each.id !== id);
    case 'session.ended':
      return polls.map((each) => (each.status === 'open' ? { ...each, status: 'closed' } : each));
    default:
      return polls;
  }
}
