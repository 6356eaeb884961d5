/** Recording a session: start and stop, and consent of people. */
import { fieldsOf, listOf, textOf } from '../json';
import type { Caller } from './call';
import { pathOf } from './sessions';

const RUNNING: readonly unknown[] = ['recording', 'paused'];

export const recordings = {
  /** `agreedOnly`: record only people who have agreed; otherwise everybody except those who declined. */
  async start(caller: Caller, session: string, agreedOnly: boolean): Promise<void> {
    await caller.post(`${pathOf(session)}/recordings`, { require_consent: agreedOnly });
  },

  /** Stop all recordings of the session in progress. */
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
