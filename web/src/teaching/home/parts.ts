import type { Caller } from '../../client/classroom/call';
import type { Me } from '../../client/classroom/sessions';

/** The properties of each part of the home page. */
export interface PartProps {
  caller: Caller;
  me: Me;
  /** Run an action; a failure is shown to the user. */
  attempt: (call: () => Promise<void>) => Promise<void>;
}
