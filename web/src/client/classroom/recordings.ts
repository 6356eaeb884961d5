/** Recording a session: start and stop, and people's consent. */
import { fieldsOf, listOf, textOf } from '../json';
import type { Caller } from './call';
import { pathOf } from './sessions';

const RUNNING: readonly unknown[] = ['recording', 'paused'];

export const recordings = {
  /** `agreedOnly`: nobody is recorded who has not agreed; otherwise everybody but those who declined. */
  async start(caller: Caller, session: string, agreedOnly: boolean): Promise<void> {
    await caller.post(`${pathOf(session)}/recordings`, { require_consent: agreedOnly });
  },

  /** Stop what is being recorded of the session. */
  async stop(caller: Caller, session: string): Promise<void> {
    const { data } = await caller.get(`${pathOf(session)}/recordings`);
    for (const { id, status } of listOf(data).map(fieldsOf)) {
      if (RUNNING.includes(status)) await caller.post(`/recordings/${textOf(id)}/stop`);
    }
  },

  async consent(caller: Caller, session: string, granted: boolean): Promise<void> {
    await caller.put(`${pathOf(session)}/recordings/consent`, { granted });
  },
};
