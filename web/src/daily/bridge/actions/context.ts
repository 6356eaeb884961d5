import type { Fields } from '../../../client/json';
import type { Store } from '../../../client/store';
import type { Appearance } from '../../call/appearance';
import type { Call } from '../../call/call';
import type { Meeting } from '../../call/meeting';
import type { Wire } from '../wire';

/** What a handler of an action works on. */
export interface Context {
  wire: Wire;
  call: Call;
  appearance: Store<Appearance>;
}

export type Reply = (fields: Fields) => void;

/** Does what daily-js asks for. */
export type Action = (fields: Fields, reply: Reply, context: Context) => unknown;

/** Does what daily-js asks for in a meeting; outside of one nothing happens. */
export type MeetingAction = (
  fields: Fields,
  reply: Reply,
  context: Context & { meeting: Meeting },
) => unknown;

/** Let a handler act in a meeting only. */
export function inMeeting(action: MeetingAction): Action {
  return (fields, reply, context) => {
    const { meeting } = context.call;
    return meeting === undefined ? undefined : action(fields, reply, { ...context, meeting });
  };
}

/** A text of a message, or none. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
