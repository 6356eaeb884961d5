import type { Fields } from '../../../client/json';
import type { Store } from '../../../client/store';
import type { Appearance } from '../../call/appearance';
import type { Call } from '../../call/call';
import type { Meeting } from '../../call/meeting';
import type { Wire } from '../wire';

/** What a handler can use. */
export interface Context {
  wire: Wire;
  call: Call;
  appearance: Store<Appearance>;
}

export type Reply = (fields: Fields) => void;

/** Handles one kind of request. */
export type Action = (fields: Fields, reply: Reply, context: Context) => unknown;

/** Handles one kind of request during a meeting; the request is ignored outside a meeting. */
export type MeetingAction = (
  fields: Fields,
  reply: Reply,
  context: Context & { meeting: Meeting },
) => unknown;

/** Call a handler only during a meeting. */
export function inMeeting(action: MeetingAction): Action {
  return (fields, reply, context) => {
    const { meeting } = context.call;
    return meeting === undefined ? undefined : action(fields, reply, { ...context, meeting });
  };
}

/** The value if it is a text that is not empty. */
export function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
