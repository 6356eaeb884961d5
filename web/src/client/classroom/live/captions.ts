/** Live captions: what people say, as lines that grow and are replaced until they are complete. */
import { textOf, type Fields } from '../../json';
import type { Caller } from '../call';
import { pathOf } from '../sessions';

export interface CaptionLine {
  /** A later message about the same line replaces this one. */
  id: string;
  person: string;
  /** Words that will not change. */
  text: string;
  /** Words that may change. */
  tail: string;
  final: boolean;
  /** This page's clock at the last change, in ms. */
  at: number;
}

export interface CaptionState {
  lines: readonly CaptionLine[];
  /** Speech is left out: the server has not enough CPU time. */
  behind: boolean;
}

export const NO_CAPTIONS: CaptionState = { lines: [], behind: false };

/** More lines hide the lesson. */
const MAX_LINES = 3;
/** A line is shown for so long after its last change. */
export const SHOWN_MS = 6000;

/** The state after a message of the session's stream. */
export function applyCaption(state: CaptionState, message: Fields, nowMs: number): CaptionState {
  if (typeof message['behind'] === 'boolean') return { ...state, behind: message['behind'] };
  const line: CaptionLine = {
    id: textOf(message['line']),
    person: textOf(message['person']),
    text: textOf(message['text']),
    tail: textOf(message['tail']),
    final: message['final'] === true,
    at: nowMs,
  };
  if (line.id === '') return state;
  const known = state.lines.some(({ id }) => id === line.id);
  // What was shown turned out not to have been said.
  if (`${line.text}${line.tail}` === '')
    return known ? { ...state, lines: state.lines.filter(({ id }) => id !== line.id) } : state;
  const lines = known
    ? state.lines.map((each) => (each.id === line.id ? line : each))
    : [...state.lines, line];
  return { ...state, lines: lines.slice(-MAX_LINES) };
}

/** The state without lines that have been shown long enough. */
export function withoutOld(state: CaptionState, nowMs: number): CaptionState {
  const lines = state.lines.filter(({ at }) => nowMs - at < SHOWN_MS);
  return lines.length === state.lines.length ? state : { ...state, lines };
}

export const captions = {
  /** Whether this server can caption, and whether this person turned captions on before. */
  async state(caller: Caller, session: string): Promise<{ available: boolean; on: boolean }> {
    const { available, on } = await caller.get(`${pathOf(session)}/captions`);
    return { available: available === true, on: on === true };
  },

  /** Turn captions on or off for this person. */
  async turn(caller: Caller, session: string, on: boolean): Promise<void> {
    await caller.put(`${pathOf(session)}/captions`, { on });
  },

  /** Let everybody turn captions on, or end them for all. */
  async allow(caller: Caller, session: string, allowed: boolean): Promise<void> {
    await caller.patch(pathOf(session), { settings: { captions: allowed } });
  },
};
