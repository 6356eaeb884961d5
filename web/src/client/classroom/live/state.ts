/** A page's copy of a session: created from the server's `state`, updated by its events. Pure functions. */
import { fieldsOf, numberOf, textOf, wordOf, type Fields } from '../../json';
import { isStaff, PHASES, type Phase } from '../sessions';
import { applyBoard, readBoard, type Board } from './work/board';
import { applyBreakouts, readBreakouts, type Breakouts } from './work/breakouts';
import { applyChat, readChat, type Chat } from './work/chat';
import type { SessionEvent } from './event';
import { applyExercises, readExercises, type Exercises } from './work/exercises';
import { applyFiles, readFiles, type SessionFile } from './work/files';
import { applyHelp, readHelp, type HelpRequest } from './work/help';
import {
  applyDirection,
  applyLifecycle,
  readDirection,
  readLifecycle,
  type Direction,
  type Lifecycle,
} from './lifecycle';
import { applyPeople, readPeople, type People } from './people';
import { applyPermissions, readPermissions, type Permissions } from './permissions';
import { applyPolls, readPolls, type Poll } from './work/polls';
import { applyQuestions, readQuestions, type Question } from './work/questions';
import { applySlides, readSlides, type Deck } from './work/slides';

export interface SessionState {
  lifecycle: Lifecycle;
  people: People;
  direction: Direction;
  chat: Chat;
  help: readonly HelpRequest[];
  questions: readonly Question[];
  polls: readonly Poll[];
  exercises: Exercises;
  breakouts: Breakouts;
  permissions: Permissions;
  decks: readonly Deck[];
  board: Board;
  files: readonly SessionFile[];
}

/** The view of a person who is not in the session. */
export interface Door {
  title: string;
  phase: Phase;
  startsAt: number | undefined;
  waiting: boolean;
  why: 'knock' | 'not_started';
  /** Position in the queue of the lobby, from 1; 0: not in the lobby. */
  place: number;
}

export function readDoor(fields: Fields): Door {
  return {
    title: textOf(fields['title']),
    phase: wordOf(fields['phase'], PHASES),
    startsAt: numberOf(fields['starts_at']),
    waiting: fields['standing'] === 'waiting',
    why: wordOf(fields['why'], ['knock', 'not_started']),
    place: numberOf(fields['place']) ?? 0,
  };
}

/** `nowMs`: this page's clock. `before`: the state that this one replaces; its names are kept. */
export function readState(fields: Fields, me: string, nowMs: number, before?: SessionState): SessionState {
  const part = (name: string): Fields => fieldsOf(fields[name]);
  const lifecycle = readLifecycle(part('session'), nowMs);
  return {
    lifecycle,
    people: readPeople(fields, me, lifecycle.taughtAt, before?.people.names ?? {}),
    direction: readDirection(part('moderation'), part('studio')),
    chat: readChat(part('chat'), part('reactions')),
    help: readHelp(part('help_requests')),
    questions: readQuestions(part('questions')),
    polls: readPolls(part('polls')),
    exercises: readExercises(part('exercises')),
    breakouts: readBreakouts(part('breakouts')),
    permissions: readPermissions(part('moderation')),
    decks: readSlides(part('slides')),
    board: readBoard(part('whiteboard')),
    files: readFiles(part('files')),
  };
}

/** The state after an event. Unaffected parts stay the same objects. */
export function applyEvent(state: SessionState, event: SessionEvent): SessionState {
  const { me } = state.people;
  return {
    lifecycle: applyLifecycle(state.lifecycle, event),
    people: applyPeople(state.people, event),
    direction: applyDirection(state.direction, event),
    chat: applyChat(state.chat, event),
    help: applyHelp(state.help, event),
    questions: applyQuestions(state.questions, event, me),
    polls: applyPolls(state.polls, event, me),
    exercises: applyExercises(state.exercises, event, me),
    breakouts: applyBreakouts(state.breakouts, event, me),
    permissions: applyPermissions(state.permissions, event, me),
    decks: applySlides(state.decks, event),
    board: applyBoard(state.board, event),
    files: applyFiles(state.files, event),
  };
}

/** The part that has to be loaded again, because the event does not contain all of its effects; undefined for most events. */
export function stalePart(state: SessionState, event: SessionEvent): 'polls' | 'questions' | undefined {
  if (event.type === 'polls.answered' && isStaff(state.people.role)) return 'polls';
  // A resolved question was removed from the list; the event contains only its id.
  if (event.type === 'questions.reopened') return 'questions';
  return undefined;
}

/** A person's name; empty for unknown people and hidden names. */
export function nameOf(state: SessionState, person: string): string {
  return state.people.names[person] ?? '';
}
