/** Decides which screen is shown: a state machine over plain values. */
import type { Ending } from '../../client/joining';

export interface Ended {
  name: 'ended';
  ending: Ending;
  problem: string;
  joining: boolean;
  /** How often the page has tried to come back by itself; undefined when it does not try. */
  attempt: number | undefined;
}

/** Generic in the session, which only components use. */
export type Screen<S> =
  { name: 'lobby'; problem: string; joining: boolean } | { name: 'lesson'; session: S } | Ended;

export type ScreenEvent<S> =
  | { type: 'joining' }
  | { type: 'joined'; session: S }
  /** `final`: the server gave a verdict, so that trying again is of no use. */
  | { type: 'failed'; problem: string; final: boolean }
  | { type: 'ended'; session: S; ending: Ending }
  | { type: 'gaveUp' }
  | { type: 'back' };

export const FIRST_SCREEN = { name: 'lobby', problem: '', joining: false } as const;

/** The screen after an event; an event that arrives too late changes nothing. */
export function nextScreen<S>(screen: Screen<S>, event: ScreenEvent<S>): Screen<S> {
  switch (event.type) {
    case 'joining':
      return screen.name === 'lesson' ? screen : { ...screen, problem: '', joining: true };
    case 'joined':
      return { name: 'lesson', session: event.session };
    case 'failed':
      return afterFailure(screen, event.problem, event.final);
    case 'ended': {
      if (screen.name !== 'lesson' || screen.session !== event.session) return screen;
      const { ending } = event;
      return { name: 'ended', ending, problem: '', joining: false, attempt: ending.returns ? 0 : undefined };
    }
    case 'gaveUp':
      return screen.name === 'ended' ? { ...screen, attempt: undefined } : screen;
    case 'back':
      return screen.name === 'ended' ? FIRST_SCREEN : screen;
  }
}

function afterFailure<S>(screen: Screen<S>, problem: string, final: boolean): Screen<S> {
  if (screen.name === 'lesson') return screen;
  if (screen.name === 'lobby') return { ...screen, problem, joining: false };
  if (final || screen.attempt === undefined)
    return { ...screen, problem, joining: false, attempt: undefined };
  // The user knows that the page tries again; each failure would only repeat it.
  return { ...screen, joining: false, attempt: screen.attempt + 1 };
}
