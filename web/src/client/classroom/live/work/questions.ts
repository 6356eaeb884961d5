/** Questions on the list, most votes first. */
import { fieldsOf, listOf, numberOf, textOf, type Fields } from '../../../json';
import type { SessionEvent } from '../event';

export interface Question {
  id: string;
  /** Empty where the name is hidden. */
  by: string;
  at: number;
  text: string;
  anonymous: boolean;
  votes: number;
  /** Whether this person voted for it. */
  voted: boolean;
  answered: boolean;
  answer: string;
}

function readQuestion(value: unknown): Question {
  const fields = fieldsOf(value);
  return {
    id: textOf(fields['id']),
    by: textOf(fields['by']),
    at: numberOf(fields['at']) ?? 0,
    text: textOf(fields['text']),
    anonymous: fields['anonymous'] === true,
    votes: numberOf(fields['votes']) ?? 0,
    voted: fields['voted'] === true,
    answered: fields['status'] === 'answered',
    answer: textOf(fields['answer']),
  };
}

export function readQuestions(fields: Fields): Question[] {
  return listOf(fields['questions']).map(readQuestion);
}

/** Most votes first, then the oldest first. */
function inOrder(questions: readonly Question[]): Question[] {
  return [...questions].sort((a, b) => b.votes - a.votes || a.at - b.at);
}

/** `me`: the id of this page's person. A reopened question has to be loaded: `isStale`. */
export function applyQuestions(
  questions: readonly Question[],
  event: SessionEvent,
  me: string,
): readonly Question[] {
  const { type, by, fields } = event;
  const id = textOf(fields['question']);
  const change = (changed: (question: Question) => Partial<Question>): Question[] =>
    inOrder(questions.map((each) => (each.id === id ? { ...each, ...changed(each) } : each)));
  switch (type) {
    case 'questions.asked':
      return inOrder([...questions, readQuestion({ ...fields, id })]);
    case 'questions.upvoted':
      return change(({ votes, voted }) => ({ votes: votes + 1, voted: voted || by === me }));
    case 'questions.taken_back':
      return change(({ votes, voted }) => ({ votes: votes - 1, voted: voted && by !== me }));
    case 'questions.answered':
      return change(() => ({ answered: true, answer: textOf(fields['text']) }));
    case 'questions.resolved':
    case 'questions.dismissed':
      return questions.filter((each) => each.id !== id);
    case 'questions.reopened':
      return change(() => ({ answered: false }));
    default:
      return questions;
  }
}
