/** Around the sessions: who is online, office hours, study groups. */
import { fieldsOf, listOf, numberOf, textOf, wordOf, type Fields } from '../../json';
import type { Caller } from '../call';

export const STATUSES = ['online', 'away', 'busy', 'offline'] as const;
export type Status = (typeof STATUSES)[number];

export interface Present {
  person: string;
  name: string;
  status: Status;
  activity: string;
}

export const presence = {
  /** Report that this page is open; to be called once a minute. */
  async beat(caller: Caller): Promise<Status> {
    return wordOf((await caller.post('/presence/heartbeat'))['status'], STATUSES);
  },

  async setStatus(caller: Caller, status: Status): Promise<void> {
    await caller.post('/presence/status', { status });
  },

  async online(caller: Caller): Promise<Present[]> {
    return listOf((await caller.get('/presence/online'))['data']).map((line) => {
      const fields = fieldsOf(line);
      return {
        person: textOf(fields['person']),
        name: textOf(fields['name']) || textOf(fields['person']),
        status: wordOf(fields['status'], STATUSES),
        activity: textOf(fields['activity']),
      };
    });
  },
};

export interface OfficeHours {
  tutor: string;
  name: string;
  open: boolean;
  /** People in the queue. */
  waiting: number;
  /** The caller's position, from 1; 0: not in the queue. */
  position: number;
  waitS: number;
  /** The session of the current visit; empty for other people. */
  session: string;
  /** For the tutor. */
  queue: readonly { person: string; name: string; topic: string }[];
}

export function readOfficeHours(fields: Fields): OfficeHours {
  const tutor = textOf(fields['tutor']);
  return {
    tutor,
    name: textOf(fields['name']) || tutor,
    open: fields['open'] === true,
    waiting: numberOf(fields['waiting']) ?? 0,
    position: numberOf(fields['position']) ?? 0,
    waitS: numberOf(fields['wait_s']) ?? 0,
    session: textOf(fields['session']),
    queue: listOf(fields['queue'])
      .map(fieldsOf)
      .map((each) => ({
        person: textOf(each['person']),
        name: textOf(each['name']),
        topic: textOf(each['topic']),
      })),
  };
}

const hoursPath = (tutor: string): string => `/office-hours/${encodeURIComponent(tutor)}`;

export const officeHours = {
  async list(caller: Caller): Promise<OfficeHours[]> {
    return listOf((await caller.get('/office-hours'))['data']).map((each) => readOfficeHours(fieldsOf(each)));
  },

  async command(
    caller: Caller,
    tutor: string,
    command: 'open' | 'close' | 'leave' | 'complete' | 'no-show',
  ): Promise<void> {
    await caller.post(`${hoursPath(tutor)}/${command}`);
  },

  async join(caller: Caller, tutor: string, topic: string): Promise<void> {
    await caller.post(`${hoursPath(tutor)}/join`, { topic });
  },

  /** Invite a person from the queue; returns the id of the session that starts. */
  async admit(caller: Caller, tutor: string, person: string, title: string): Promise<string> {
    return textOf((await caller.post(`${hoursPath(tutor)}/admit`, { person, title }))['session']);
  },
};

export interface StudyGroup {
  id: string;
  name: string;
  capacity: number;
  /** Everybody may join. */
  open: boolean;
  count: number;
  member: boolean;
  leader: boolean;
}

export const studyGroups = {
  async list(caller: Caller, me: string): Promise<StudyGroup[]> {
    return listOf((await caller.get('/study-groups'))['data']).map((each) => {
      const fields = fieldsOf(each);
      const role = fieldsOf(fields['members'])[me];
      return {
        id: textOf(fields['id']),
        name: textOf(fields['name']),
        capacity: numberOf(fields['capacity']) ?? 0,
        open: fields['open'] === true,
        count: numberOf(fields['count']) ?? 0,
        member: role !== undefined,
        leader: role === 'leader',
      };
    });
  },

  async found(caller: Caller, name: string): Promise<void> {
    await caller.post('/study-groups', { course: 'general', name });
  },

  async command(caller: Caller, group: string, command: 'join' | 'leave'): Promise<void> {
    await caller.post(`/study-groups/${group}/${command}`);
  },

  /** The session in which the group meets now; the first request starts it. */
  async meet(caller: Caller, group: string): Promise<string> {
    return textOf((await caller.post(`/study-groups/${group}/meet`))['session']);
  },
};
