import { expect, it } from 'vitest';

import { Caller } from '../call';
import {
  filesOf,
  isLink,
  itemFault,
  library,
  movedPart,
  NEW_EXERCISE,
  NEW_POLL,
  titleOf,
  type Item,
} from './library';

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
  const found = await library.item(each, 'li_1');
  await library.change(each, { ...found, content: { ...NEW_EXERCISE, file: 'lf_1', title: ' More sums ' } });
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

const poll = { ...NEW_POLL, question: 'Prime?', options: ['Yes', 'No'] };
const exercise = { ...NEW_EXERCISE, title: 'Sums', file: 'lf_1' };
const set: Item = { kind: 'set', title: 'Lesson', items: [exercise, poll] };

it('reads and writes a set with its exercises and polls', async () => {
  const { caller: each, calls } = caller({ id: 'li_1', version: 4, content: set });
  const found = await library.item(each, 'li_1');
  expect(found).toEqual({ id: 'li_1', version: 4, content: set });
  await library.change(each, found);
  expect(calls[1]).toEqual(['PUT', '/library/li_1', { content: set, version: 4 }]);
});

it('writes a poll without empty and repeated options, and none where none are chosen', async () => {
  const { caller: each, calls } = caller({});
  await library.add(each, { ...poll, question: ' Prime? ', options: ['Yes ', '', 'No', 'Yes'] });
  await library.add(each, { ...poll, answers: 'rating' });
  expect(calls.map(([, , body]) => body)).toEqual([
    { content: poll },
    { content: { ...poll, answers: 'rating', options: [] } },
  ]);
});

it.each<[string, Item, ReturnType<typeof itemFault>]>([
  ['a poll', poll, undefined],
  ['a rating without options', { ...poll, answers: 'rating', options: [] }, undefined],
  ['a poll without a question', { ...poll, question: ' ' }, 'poll'],
  ['a choice of one', { ...poll, options: ['Yes', ' Yes', ''] }, 'poll'],
  ['an exercise without a title', NEW_EXERCISE, 'title'],
  ['an exercise with a bad link', { ...exercise, link: 'school' }, 'link'],
  ['a set', set, undefined],
  ['a set without a title', { ...set, title: '' }, 'title'],
  ['an empty set', { ...set, items: [] }, 'set'],
  ['a set with a bad part', { ...set, items: [poll, NEW_EXERCISE] }, 'title'],
])('%s: %s', (_what, item, fault) => {
  expect(itemFault(item)).toBe(fault);
});

it('knows the title and the files of items, and moves parts', () => {
  expect([titleOf(poll), titleOf(set)]).toEqual(['Prime?', 'Lesson']);
  expect([filesOf(poll), filesOf(exercise), filesOf(set), filesOf(NEW_EXERCISE)]).toEqual([
    [],
    ['lf_1'],
    ['lf_1'],
    [],
  ]);
  expect(movedPart([exercise, poll], 1, -1)).toEqual([poll, exercise]);
  expect(movedPart([exercise, poll], 0, -1)).toEqual([exercise, poll]);
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
