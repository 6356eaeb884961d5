import { expect, it } from 'vitest';

import { Caller } from '../call';
import { isLink, library, NEW_EXERCISE } from './library';

function caller(answer: unknown) {
  const calls: [string, string, unknown][] = [];
  const fetcher = (url: string, init?: RequestInit): Promise<Response> => {
    const body = typeof init?.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined;
    calls.push([init?.method ?? '', url.replace('/api/v1', ''), body]);
    return Promise.resolve(Response.json(answer));
  };
  return { caller: new Caller('t', fetcher), calls };
}

it('reads pages of items', async () => {
  const data = [{ id: 'li_1', kind: 'set', title: 'Lesson 1', version: 3 }];
  const { caller: each, calls } = caller({ data, next_cursor: 'a b' });
  const { entries, next } = await library.page(each);
  expect(entries).toEqual([{ id: 'li_1', kind: 'set', title: 'Lesson 1' }]);
  await library.page(each, next);
  expect(calls.map(([, path]) => path)).toEqual(['/library?limit=100', '/library?limit=100&cursor=a%20b']);
});

it('replaces the version of an exercise that was read', async () => {
  const content = { kind: 'exercise', title: 'Sums', text: '', link: '', file: 'lf_1' };
  const { caller: each, calls } = caller({ id: 'li_1', version: 2, content });
  const found = await library.exercise(each, 'li_1');
  await library.change(each, { ...found, title: ' More sums ' });
  expect(calls[1]).toEqual([
    'PUT',
    '/library/li_1',
    { content: { ...content, title: 'More sums' }, version: 2 },
  ]);
});

it('adds an exercise and copies it into a session', async () => {
  const { caller: each, calls } = caller({});
  await library.add(each, { ...NEW_EXERCISE, title: 'Sums' });
  await library.use(each, 'ses/1', 'li_1');
  expect(calls).toEqual([
    ['POST', '/library', { content: { kind: 'exercise', title: 'Sums', text: '', link: '', file: '' } }],
    ['POST', '/sessions/ses%2F1/from-library', { item: 'li_1', assign: true }],
  ]);
});

it.each<[string, boolean]>([
  ['', true],
  [' https://school.example/sums ', true],
  ['http://school.example', true],
  ['school.example', false],
  ['https://', false],
  ['javascript:alert(1)', false],
])('%j as a link: %s', (link, fits) => {
  expect(isLink(link)).toBe(fits);
});
