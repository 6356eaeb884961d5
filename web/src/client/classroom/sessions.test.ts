import { expect, it } from 'vitest';

import { Caller } from './call';
import { readJoined, readSummary, sessions } from './sessions';

it('signs in with an account on this server', async () => {
  const sent: unknown[] = [];
  const caller = new Caller('', (url, init) => {
    sent.push(url, init.body);
    return Promise.resolve(
      new Response(JSON.stringify({ access_token: 'lst_1', name: 'Ada', role: 'tutor' })),
    );
  });
  expect(await sessions.signIn(caller, 'ada@school.example', 'secret')).toEqual({
    token: 'lst_1',
    name: 'Ada',
  });
  expect(sent).toEqual(['/api/v1/sign-in', '{"email":"ada@school.example","password":"secret"}']);
});

it('sends the code of a second factor with the password', async () => {
  const sent: unknown[] = [];
  const caller = new Caller('', (_, init) => {
    sent.push(init.body);
    return Promise.resolve(new Response(JSON.stringify({ access_token: 'lst_1', name: 'Ada' })));
  });
  await sessions.signIn(caller, 'ada@school.example', 'secret', '123456');
  expect(sent).toEqual(['{"email":"ada@school.example","password":"secret","code":"123456"}']);
});

it.each([
  ['a row of a list', { owner: 't' }],
  ['a whole session', { owner: { id: 't', name: 'Tia' } }],
])('reads the owner of %s', (_, fields) => {
  expect(readSummary(fields).owner).toBe('t');
});

it.each([
  [
    { standing: 'waiting', why: 'knock', place: 2 },
    { waiting: true, why: 'knock', place: 2, token: '' },
  ],
  [
    { standing: 'present', why: null, token: 'T' },
    { waiting: false, why: undefined, place: 0, token: 'T' },
  ],
  [{ role: 'emperor' }, { role: 'student' }],
])('reads the answer to a join: %j', (fields, expected) => {
  expect(readJoined(fields)).toMatchObject(expected);
});
