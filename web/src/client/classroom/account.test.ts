import { expect, it } from 'vitest';

import { account, accountProblem, hasNoAccount, passwordFault } from './account';
import { Caller, Problem } from './call';

/** A caller whose answers are the given ones by method and path; `asked` are the requests with their bodies. */
function answering(answers: Record<string, object>) {
  const asked: [string, unknown][] = [];
  const caller = new Caller('T', (url, init) => {
    const key = `${init.method ?? 'GET'} ${url.replace('/api/v1', '')}`;
    asked.push([key, typeof init.body === 'string' ? JSON.parse(init.body) : undefined]);
    return Promise.resolve(new Response(JSON.stringify(answers[key] ?? {})));
  });
  return { caller, asked };
}

it('enrols a second factor with the password, then a code', async () => {
  const { caller, asked } = answering({
    'PUT /me/totp': { uri: 'otpauth://totp/x', secret: 'ABC' },
    'POST /me/totp/confirm': { recovery_codes: ['a', 'b'] },
    'GET /me/totp': { enabled: true, recovery_codes_left: 2 },
  });
  expect(await account.enrol(caller, 'secret')).toEqual({ uri: 'otpauth://totp/x', secret: 'ABC' });
  expect(await account.confirm(caller, '123456')).toEqual(['a', 'b']);
  expect(await account.factor(caller)).toEqual({ enabled: true, recoveryCodesLeft: 2 });
  expect(asked.slice(0, 2)).toEqual([
    ['PUT /me/totp', { password: 'secret' }],
    ['POST /me/totp/confirm', { code: '123456' }],
  ]);
});

it('changes only the given choices about mail', async () => {
  const { caller, asked } = answering({
    'PUT /me/mail': { email: 'a@b.example', time_zone: 'Asia/Tokyo', reminders: true, sent: true },
  });
  const changed = await account.setMail(caller, { timeZone: '' });
  await account.setMail(caller, { reminders: false });
  expect(changed).toEqual({ email: 'a@b.example', timeZone: 'Asia/Tokyo', reminders: true, sent: true });
  expect(asked.map(([, body]) => body)).toEqual([{ time_zone: '' }, { reminders: false }]);
});

it('reads bans, and quotes ids in paths', async () => {
  const { caller, asked } = answering({
    'GET /bans': { data: [{ person: 'p/1', name: 'Sam', title: 'Algebra', at: 5 }, 'x'] },
  });
  expect((await account.bans(caller))[0]).toEqual({
    person: 'p/1',
    name: 'Sam',
    title: 'Algebra',
    at: 5,
  });
  await account.liftBan(caller, 'p/1');
  expect(asked.at(-1)?.[0]).toBe('DELETE /bans/p%2F1');
});

it.each([
  ['wrong_credentials', 401, /password is wrong/u],
  ['wrong_code', 401, /code is wrong/u],
  ['expired_token', 401, undefined],
  ['unauthorized', 401, undefined],
  ['too_fast', 429, /too fast/u],
])('%s', (code, status, words) => {
  const found = accountProblem(new Problem(status, code, ''));
  if (words === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(words);
});

it('knows who has no account here', () => {
  expect(hasNoAccount(new Problem(403, 'not_allowed', ''))).toBe(true);
  expect(hasNoAccount(new Problem(401, 'expired_token', ''))).toBe(false);
});

it('checks a new password before it is sent', () => {
  expect(passwordFault('123456789', '123456789')).toBe('short');
  // Nine characters of two UTF-16 units each.
  expect(passwordFault('🦉'.repeat(9), '🦉'.repeat(9))).toBe('short');
  expect(passwordFault('correct horse', 'correct hors')).toBe('differ');
  expect(passwordFault('correct horse', 'correct horse')).toBeUndefined();
});
