import { describe, expect, it } from 'vitest';

import { exitAddress, readCallAddress, withoutToken } from './address';

const EMBEDDED =
  '?t=a.b.c&emb=42&embHref=https%3A%2F%2Fschool.example%2Flesson%3Fid%3D1&dailyJsVersion=0.92.2';

describe('readCallAddress', () => {
  it('reads the room, the token and the embedding page', () => {
    expect(readCallAddress({ pathname: '/maths', search: EMBEDDED }, true)).toEqual({
      room: 'maths',
      token: 'a.b.c',
      frame: { id: '42', origin: 'https://school.example' },
    });
  });
  it.each([
    ['the page is not in a frame', EMBEDDED, false],
    ['the embedding page does not use daily-js', '?t=a', true],
    ['there is no id', '?embHref=https%3A%2F%2Fschool.example', true],
    ['there is no address', '?emb=42', true],
    ['the address is not a URL', '?emb=42&embHref=school', true],
    ['the embedding page was opened from a file', '?emb=42&embHref=file%3A%2F%2F%2Fhome%2Findex.html', true],
  ])('finds no embedding page when %s', (_, search, embedded) => {
    expect(readCallAddress({ pathname: '/maths', search }, embedded).frame).toBeUndefined();
  });
  it.each(['/', '/a/b', '/a%20b', `/${'x'.repeat(129)}`])('finds no room in %s', (pathname) => {
    expect(readCallAddress({ pathname, search: '' }, false).room).toBe('');
  });
});

describe('exitAddress', () => {
  it.each([
    ['https://school.example/bye?a=1', 'https://school.example/bye?a=1&recent-call=lectern.example%2Fmaths'],
    ['', ''],
    ['javascript:alert(1)', ''],
    ['/bye', ''],
  ])('%j', (wanted, expected) => {
    expect(exitAddress(wanted, 'lectern.example', 'maths')).toBe(expected);
  });
});

describe('withoutToken', () => {
  it.each([
    ['?t=a.b.c', '/maths'],
    ['', '/maths'],
    ['?emb=1&t=a.b.c&layout=browser', '/maths?emb=1&layout=browser'],
  ])('%s', (search, expected) => {
    expect(withoutToken({ pathname: '/maths', search })).toBe(expected);
  });
});
