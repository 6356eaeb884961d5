/** What administrators of a school manage: accounts, webhooks, the audit log. */
import type { Caller } from '../classroom/call';
import { fieldsOf, listOf, numberOf, textOf, wordOf, type Fields } from '../json';

export const USER_ROLES = ['student', 'assistant', 'tutor', 'admin'] as const;
export type UserRole = (typeof USER_ROLES)[number];

export interface User {
  id: string;
  email: string;
  name: string;
  role: UserRole;
  active: boolean;
  disabled: boolean;
}

export interface Endpoint {
  id: string;
  url: string;
  paused: boolean;
  failures: number;
  /** Only in the answer that adds the endpoint. */
  secret: string;
}

export interface Deliveries {
  waiting: { eventId: string; event: string; attempts: number; nextAt: number }[];
  attempts: { eventId: string; event: string; at: number; number: number; result: string; answer: string }[];
}

export interface AuditItem {
  number: number;
  at: number;
  action: string;
  actor: string;
  subject: string;
  session: string;
}

const fieldList = (value: unknown): Fields[] => listOf(value).map(fieldsOf);

export function readDeliveries(fields: Fields): Deliveries {
  return {
    waiting: fieldList(fields['waiting']).map((each) => ({
      eventId: textOf(each['event_id']),
      event: textOf(each['event']),
      attempts: numberOf(each['attempts']) ?? 0,
      nextAt: numberOf(each['next_at']) ?? 0,
    })),
    attempts: fieldList(fields['attempts']).map((each) => ({
      eventId: textOf(each['event_id']),
      event: textOf(each['event']),
      at: numberOf(each['at']) ?? 0,
      number: numberOf(each['number']) ?? 1,
      result: textOf(each['result']),
      answer: textOf(each['answer']),
    })),
  };
}

function readUser(fields: Fields): User {
  return {
    id: textOf(fields['id']),
    email: textOf(fields['email']),
    name: textOf(fields['name']),
    role: wordOf(fields['role'], USER_ROLES),
    active: fields['active'] === true,
    disabled: fields['disabled'] === true,
  };
}

function readEndpoint(fields: Fields): Endpoint {
  return {
    id: textOf(fields['id']),
    url: textOf(fields['url']),
    paused: fields['paused'] === true,
    failures: numberOf(fields['failures']) ?? 0,
    secret: textOf(fields['secret']),
  };
}

const userPath = (id: string): string => `/users/${encodeURIComponent(id)}`;
const hookPath = (id: string): string => `/webhook-endpoints/${encodeURIComponent(id)}`;

export const accounts = {
  /** A page of accounts, and the cursor of the next one. */
  async list(caller: Caller, cursor: string): Promise<{ users: User[]; next: string }> {
    const fields = await caller.get(`/users?limit=50&cursor=${encodeURIComponent(cursor)}`);
    return { users: fieldList(fields['data']).map(readUser), next: textOf(fields['next_cursor']) };
  },

  /** Add an account; returns the token with which its person chooses a password. */
  async invite(caller: Caller, email: string, name: string, role: UserRole): Promise<string> {
    return textOf((await caller.post('/users', { email, name, role }))['password_token']);
  },

  async setDisabled(caller: Caller, id: string, disabled: boolean): Promise<void> {
    await caller.patch(userPath(id), { disabled });
  },

  /** The ids of the tenants that the caller manages. */
  async tenants(caller: Caller): Promise<string[]> {
    return fieldList((await caller.get('/tenants'))['data']).map((each) => textOf(each['id']));
  },
};

export const webhooks = {
  async list(caller: Caller): Promise<Endpoint[]> {
    return fieldList((await caller.get('/webhook-endpoints'))['data']).map(readEndpoint);
  },

  async add(caller: Caller, url: string): Promise<Endpoint> {
    return readEndpoint(await caller.post('/webhook-endpoints', { url }));
  },

  async resume(caller: Caller, id: string): Promise<void> {
    await caller.post(`${hookPath(id)}/resume`);
  },

  async remove(caller: Caller, id: string): Promise<void> {
    await caller.delete(hookPath(id));
  },

  async deliveries(caller: Caller, id: string): Promise<Deliveries> {
    return readDeliveries(await caller.get(`${hookPath(id)}/deliveries`));
  },

  async sendAgain(caller: Caller, id: string, eventId: string): Promise<void> {
    await caller.post(`${hookPath(id)}/deliveries/${encodeURIComponent(eventId)}/send-again`);
  },
};

export async function auditLog(caller: Caller): Promise<AuditItem[]> {
  return fieldList((await caller.get('/audit?limit=100'))['data']).map((each) => ({
    number: numberOf(each['number']) ?? 0,
    at: numberOf(each['at']) ?? 0,
    action: textOf(each['action']),
    actor: textOf(each['actor']),
    subject: textOf(each['subject']),
    session: textOf(each['session']),
  }));
}
