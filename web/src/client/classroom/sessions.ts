/** Typed values of `/api/v1` for sessions, people and attendance. */
import { fieldsOf, listOf, numberOf, textOf, wordOf, type Fields } from '../json';
import type { Access } from '../server/server';
import type { Caller } from './call';

export const PHASES = ['draft', 'scheduled', 'live', 'paused', 'ended', 'cancelled', 'expired'] as const;
export type Phase = (typeof PHASES)[number];
export const ROLES = ['student', 'observer', 'assistant', 'co_tutor', 'owner'] as const;
export type Role = (typeof ROLES)[number];

export const isOpen = (phase: Phase): boolean => phase === 'live' || phase === 'paused';
export const isBefore = (phase: Phase): boolean => phase === 'draft' || phase === 'scheduled';
export const isOver = (phase: Phase): boolean => !isOpen(phase) && !isBefore(phase);
export const isStaff = (role: Role): boolean =>
  role === 'owner' || role === 'co_tutor' || role === 'assistant';
export const isTutor = (role: Role): boolean => role === 'owner' || role === 'co_tutor';

export interface Me {
  person: string;
  name: string;
  role: 'admin' | 'tutor' | 'assistant' | 'student';
  /** The only session that the token is for; empty: all. */
  session: string;
}

/** Times are seconds since 1970. */
export interface Summary {
  id: string;
  title: string;
  phase: Phase;
  owner: string;
  /** Join code; empty for people who may not pass it on. */
  code: string;
  createdAt: number;
  startsAt: number | undefined;
  startedAt: number | undefined;
  endedAt: number | undefined;
  taughtS: number;
  present: number;
}

export interface Joined {
  session: string;
  person: string;
  name: string;
  role: Role;
  waiting: boolean;
  /** Why the person waits. */
  why: 'knock' | 'not_started' | undefined;
  /** Position in the queue of the lobby, from 1; 0: not in the lobby. */
  place: number;
  code: string;
  /** Bearer token for this session. */
  accessToken: string;
  seq: number;
  /** LiveKit access token; empty while waiting. */
  token: string;
}

export interface Stay {
  joinedAt: number;
  leftAt: number | undefined;
}

export interface Attendance {
  person: string;
  name: string;
  role: Role;
  firstJoinedAt: number;
  lastLeftAt: number | undefined;
  totalS: number;
  lessonS: number;
  lostS: number;
  /** How long the person spoke. */
  talkS: number;
  stays: readonly Stay[];
}

export interface NewSession {
  title: string;
  startsAt?: number;
  /** The people who have to knock. */
  knock: boolean;
  guests: boolean;
}

export function readSummary(fields: Fields): Summary {
  return {
    id: textOf(fields['id']),
    title: textOf(fields['title']),
    phase: wordOf(fields['phase'], PHASES),
    owner: textOf(fields['owner']) || textOf(fieldsOf(fields['owner'])['id']),
    code: textOf(fields['code']),
    createdAt: numberOf(fields['created_at']) ?? 0,
    startsAt: numberOf(fields['starts_at']),
    startedAt: numberOf(fields['started_at']),
    endedAt: numberOf(fields['ended_at']),
    taughtS: numberOf(fields['taught_s']) ?? 0,
    present: numberOf(fields['present']) ?? 0,
  };
}

export function readJoined(fields: Fields): Joined {
  const why = fields['why'];
  return {
    session: textOf(fields['session']),
    person: textOf(fields['person']),
    name: textOf(fields['name']),
    role: wordOf(fields['role'], ROLES),
    waiting: fields['standing'] === 'waiting',
    why: why === 'knock' || why === 'not_started' ? why : undefined,
    place: numberOf(fields['place']) ?? 0,
    code: textOf(fields['room_code']),
    accessToken: textOf(fields['access_token']),
    seq: numberOf(fields['seq']) ?? 0,
    token: textOf(fields['token']),
  };
}

function readAttendance(line: unknown): Attendance {
  const fields = fieldsOf(line);
  return {
    person: textOf(fields['person']),
    name: textOf(fields['name']),
    role: wordOf(fields['role'], ROLES),
    firstJoinedAt: numberOf(fields['first_joined_at']) ?? 0,
    lastLeftAt: numberOf(fields['last_left_at']),
    totalS: numberOf(fields['total_s']) ?? 0,
    lessonS: numberOf(fields['lesson_s']) ?? 0,
    lostS: numberOf(fields['lost_s']) ?? 0,
    talkS: numberOf(fields['talk_s']) ?? 0,
    stays: listOf(fields['stays']).map((stay) => ({
      joinedAt: numberOf(fieldsOf(stay)['joined_at']) ?? 0,
      leftAt: numberOf(fieldsOf(stay)['left_at']),
    })),
  };
}

export const sessions = {
  async signInForDevelopment(
    caller: Caller,
    name: string,
    role: 'tutor' | 'student' | 'admin',
  ): Promise<string> {
    return textOf((await caller.post('/dev/sign-in', { name, role }))['access_token']);
  },

  /** Sign in with an account on this server; the code is that of a second factor, if the account has one. */
  async signIn(
    caller: Caller,
    email: string,
    password: string,
    code = '',
  ): Promise<{ token: string; name: string }> {
    const fields = await caller.post('/sign-in', { email, password, ...(code !== '' && { code }) });
    return { token: textOf(fields['access_token']), name: textOf(fields['name']) };
  },

  /** Set a password with the token of an invitation or a reset; returns the email address of the account. */
  async setPassword(caller: Caller, token: string, password: string): Promise<string> {
    return textOf((await caller.post('/passwords', { token, password }))['email']);
  },

  /** Have a link to set a new password sent to this address, if it has an account. */
  async forgotPassword(caller: Caller, email: string): Promise<void> {
    await caller.post('/passwords/forgotten', { email });
  },

  /** End the sign-in of this browser, if it has one. */
  async signOut(caller: Caller): Promise<void> {
    await caller.post('/sign-out');
  },

  /** Access to a room in which the page tests its connection. */
  async connectionCheck(caller: Caller): Promise<Access> {
    return { token: textOf((await caller.post('/me/connection-check'))['token']), url: '' };
  },

  async me(caller: Caller): Promise<Me> {
    const fields = await caller.get('/me');
    return {
      person: textOf(fields['person']),
      name: textOf(fields['name']),
      role: wordOf(fields['role'], ['student', 'assistant', 'tutor', 'admin']),
      session: textOf(fields['session']),
    };
  },

  async list(caller: Caller): Promise<Summary[]> {
    const { data } = await caller.get('/sessions?limit=100');
    return listOf(data).map((row) => readSummary(fieldsOf(row)));
  },

  async find(caller: Caller, id: string): Promise<Summary> {
    return readSummary(await caller.get(pathOf(id)));
  },

  async create(caller: Caller, { title, startsAt, knock, guests }: NewSession): Promise<Summary> {
    const settings = { lobby: knock ? 'knock' : 'open', guests };
    return readSummary(
      await caller.post('/sessions', {
        title,
        settings,
        ...(startsAt !== undefined && { starts_at: startsAt }),
      }),
    );
  },

  async join(caller: Caller, id: string): Promise<Joined> {
    return readJoined(await caller.post(`${pathOf(id)}/join`));
  },

  async joinByCode(caller: Caller, code: string): Promise<Joined> {
    return readJoined(await caller.post('/sessions/join-by-code', { code }));
  },

  async joinAsGuest(caller: Caller, code: string, name: string): Promise<Joined> {
    return readJoined(await caller.post('/guests/join', { code, name }));
  },

  /** New credentials for a person who is in the session or its lobby. */
  async credentials(caller: Caller, id: string): Promise<Joined> {
    return readJoined(await caller.post(`${pathOf(id)}/token`));
  },

  async attendance(caller: Caller, id: string): Promise<Attendance[]> {
    return listOf((await caller.get(`${pathOf(id)}/attendance`))['lines']).map(readAttendance);
  },
};

/** The path of a session below `/api/v1`. */
export function pathOf(id: string): string {
  return `/sessions/${encodeURIComponent(id)}`;
}
