import { expect, it } from 'vitest';

import { Caller } from '../classroom/call';
import { accounts, auditLog, readDeliveries, webhooks } from './school';

/** A caller whose answers are the given ones by method and path; `asked` are the requests. */
function answering(answers: Record<string, object>) {
  const asked: string[] = [];
  const caller = new Caller('T', (url, init) => {
    const key = `${init.method ?? 'GET'} ${url}`;
    asked.push(key);
    return Promise.resolve(new Response(JSON.stringify(answers[key] ?? {})));
  });
  return { caller, asked };
}

it('reads deliveries, and nothing out of nonsense', () => {
  const attempt = {
    event_id: 'm',
    event: 'session.ended',
    at: 5,
    number: 2,
    result: 'failed',
    answer: '500',
  };
  const found = readDeliveries({
    waiting: [{ event_id: 'm', attempts: 2, next_at: 9 }],
    attempts: [attempt],
  });
  expect(found.waiting).toEqual([{ eventId: 'm', event: '', attempts: 2, nextAt: 9 }]);
  expect(found.attempts[0]).toMatchObject({ eventId: 'm', number: 2, answer: '500' });
  expect(readDeliveries({})).toEqual({ waiting: [], attempts: [] });
});

it('quotes ids in paths', async () => {
  const { caller, asked } = answering({});
  await webhooks.sendAgain(caller, 'we/1', 'msg 1');
  await accounts.setDisabled(caller, 'u/1', true);
  expect(asked).toEqual([
    'POST /api/v1/webhook-endpoints/we%2F1/deliveries/msg%201/send-again',
    'PATCH /api/v1/users/u%2F1',
  ]);
});

it('reads accounts, endpoints and the audit log', async () => {
  const { caller } = answering({
    'GET /api/v1/users?limit=50&cursor=': {
      data: [{ id: 'u', role: 'tutor', active: true }],
      next_cursor: 'u',
    },
    'GET /api/v1/webhook-endpoints': { data: [{ id: 'we', url: 'https://a.example', paused: true }] },
    'GET /api/v1/audit?limit=100': { data: [{ number: 1, action: 'user.invited', actor: 'boss' }] },
  });
  const page = await accounts.list(caller, '');
  expect([page.users[0]?.role, page.next]).toEqual(['tutor', 'u']);
  expect((await webhooks.list(caller))[0]).toMatchObject({ id: 'we', paused: true, failures: 0 });
  expect((await auditLog(caller))[0]).toMatchObject({ action: 'user.invited', actor: 'boss' });
});
