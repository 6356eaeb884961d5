import { useEffect } from 'react';

import type { SessionEvent } from '../../client/classroom/live/event';
import type { FollowedSession } from '../../client/classroom/live/session';
import { nameOf, type SessionState } from '../../client/classroom/live/state';
import { isStaff } from '../../client/classroom/sessions';
import { fieldsOf, textOf } from '../../client/json';
import { t } from '../../client/text/catalogue';
import { s } from '../../client/text/sessions/texts';
import { Gathered, type Move } from '../../room/events/gather';
import type { Toasts } from '../../room/events/toasts';

/** Notify the user of events in the session. */
export function useSessionEvents(session: FollowedSession, me: string, toasts: Toasts): void {
  useEffect(() => {
    const gathered = new Gathered((words) => toasts.say(words));
    const end = session.onEvent((event) => {
      const move = moveOf(event, me);
      if (move !== undefined) {
        const inside = session.state.snapshot().inside;
        gathered.note({
          ...move,
          name: inside === undefined ? '' : nameOf(inside, move.identity) || t('guest'),
        });
      }
    });
    return () => {
      end();
      gathered.close();
    };
  }, [session, me, toasts]);
  useEffect(
    () =>
      session.onEvent((event) => {
        const { inside } = session.state.snapshot();
        if (inside === undefined) return;
        const words = eventWords(event, inside, me);
        if (words !== '') toasts.say(words, IMPORTANT.has(event.type));
      }),
    [session, me, toasts],
  );
}

/** The person who joins or leaves the session with an event, whichever of its rooms they are in. */
export function moveOf({ type, fields }: SessionEvent, me: string): Omit<Move, 'name'> | undefined {
  const identity = textOf(fields['person']);
  if (identity === me || fields['waited'] === true) return undefined;
  if (type === 'people.joined') return { kind: 'joined', identity };
  // A second page of the same person replaces the first.
  return type === 'people.left' && fields['reason'] !== 'replaced' ? { kind: 'left', identity } : undefined;
}

const IMPORTANT: ReadonlySet<string> = new Set(['help_requests.asked', 'breakouts.announced']);

/** The message about an event; empty for most events. */
export function eventWords(event: SessionEvent, state: SessionState, me: string): string {
  const { type, by, fields } = event;
  const name = nameOf(state, by) || t('guest');
  const staff = isStaff(state.people.role);
  switch (type) {
    case 'hands.raised':
      return by === me ? '' : t('event.hand', { name });
    case 'help_requests.asked':
      return staff ? s('help.new', { name }) : '';
    case 'help_requests.responded':
      return fields['person'] === me ? s('help.responded', { name }) : '';
    case 'questions.asked':
      return staff && by !== me
        ? s('question.new', { name, text: textOf(fields['text']).slice(0, 120) })
        : '';
    case 'polls.opened':
      return staff ? '' : s('poll.opened', { question: textOf(fields['question']) });
    case 'exercises.assigned':
      return staff ? '' : s('exercise.got', { title: textOf(fieldsOf(fields['exercise'])['title']) });
    case 'moderation.allowed':
      return !staff && fields['permission'] === 'whiteboard.draw' && fields['allowed'] === true
        ? s('board.mayDraw')
        : '';
    case 'files.added': {
      const file = fieldsOf(fields['file']);
      return by === me ? '' : s('files.got', { name, file: textOf(file['name']) });
    }
    case 'session.paused':
      return staff ? '' : s('top.pausedStudent');
    case 'breakouts.opened':
      return s('breakout.opened');
    case 'breakouts.closed':
      return s('breakout.closed');
    case 'breakouts.announced':
      return by === me ? '' : s('breakout.said', { name, text: textOf(fields['text']) });
    case 'reactions.reacted':
      return `${name}: ${textOf(fields['expression'])}`;
    default:
      return '';
  }
}
