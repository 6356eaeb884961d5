/** Decides which screen is shown: a state machine over plain values. */
import type { Ending } from '../../client/words';

/** Generic in the room, which only components use. */
export type Screen<R> =
  | { name: 'lobby'; problem: string; joining: boolean }
  | { name: 'lesson'; room: R }
  | { name: 'ended'; ending: Ending; problem: string; joining: boolean };

export type ScreenEvent<R> =
  | { type: 'joining' }
  | { type: 'joined'; room: R }
  | { type: 'failed'; problem: string }
  | { type: 'ended'; room: R; ending: Ending }
  | { type: 'back' };

export const FIRST_SCREEN = { name: 'lobby', problem: '', joining: false } as const;

/** The screen after an event; an event that arrives too late changes nothing. */
export function nextScreen<R>(screen: Screen<R>, event: ScreenEvent<R>): Screen<R> {
  switch (event.type) {
    case 'joining':
      return screen.name === 'lesson' ? screen : { ...screen, problem: '', joining: true };
    case 'joined':
      return { name: 'lesson', room: event.room };
    case 'failed':
      return screen.name === 'lesson' ? screen : { ...screen, problem: event.problem, joining: false };
    case 'ended':
      if (screen.name !== 'lesson' || screen.room !== event.room) return screen;
      return { name: 'ended', ending: event.ending, problem: '', joining: false };
    case 'back':
      return screen.name === 'ended' ? FIRST_SCREEN : screen;
  }
}
