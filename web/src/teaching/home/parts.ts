import type { Caller } from '../../client/classroom/call';
import type { Me } from '../../client/classroom/sessions';

/** What each part of the home page gets. */
export interface PartProps {
  caller: Caller;
  me: Me;
  /** Carry something out; a failure is told to the user. */
  attempt: (call: () => Promise<void>) => Promise<void>;
}
