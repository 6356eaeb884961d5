import { describe, expect, it } from 'vitest';

import {
  chooseToken,
  findInvitation,
  findToken,
  fixedName,
  readClaims,
  readInvitation,
  roomLink,
} from './access';

function base64url(text: string): string {
  const binary = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function tokenOf(payload: unknown): string {
  return `${base64url('{"alg":"HS256"}')}.${base64url(JSON.stringify(payload))}.c2lnbmF0dXJl`;
}

const VIDEO = { room: 'algebra', roomJoin: true };

describe('roomLink', () => {
  const token = tokenOf({ sub: 'ada', video: { room: 'a b', roomJoin: true } });
  const invitation = tokenOf({ lectern_invites: 'algebra' });
  it.each([
    ['/', `#token=${token}`, `/join/a%20b#token=${token}`],
    ['/', `#invitation=${invitation}`, `/join/algebra#invitation=${invitation}`],
    ['/', '', undefined],
    ['/', '#token=x', undefined],
    ['/sessions/password', '#invitation=lpw_x', undefined],
    ['/sessions', '#access_token=a.b.c', undefined],
  ])('%s%s leads to %s', (pathname, hash, path) => {
    expect(roomLink({ pathname, hash })).toBe(path);
  });
});

describe('readClaims', () => {
  it('reads room, identity, name and permissions', () => {
    const token = tokenOf({ sub: 'ada', name: 'Ada 李', video: { ...VIDEO, canUpdateOwnMetadata: true } });
    expect(readClaims(token)).toEqual({
      room: 'algebra',
      identity: 'ada',
      name: 'Ada 李',
      mayRename: true,
      mayPublish: true,
      administers: false,
    });
  });
  it('reads who administers the room', () => {
    const token = tokenOf({ sub: 'ada', video: { ...VIDEO, roomAdmin: true } });
    expect(readClaims(token)?.administers).toBe(true);
  });
  it('takes LiveKit’s defaults for absent claims', () => {
    expect(readClaims(tokenOf({ sub: 'ada', video: VIDEO }))).toMatchObject({
      name: '',
      mayRename: false,
      mayPublish: true,
    });
  });
  it('reads that publishing is not allowed', () => {
    expect(readClaims(tokenOf({ sub: 'ada', video: { ...VIDEO, canPublish: false } }))?.mayPublish).toBe(
      false,
    );
  });
  it.each([
    ['an empty text', ''],
    ['prose', 'not a token'],
    ['two parts', 'a.b'],
    ['no base64', 'a.%%%.c'],
    ['no JSON', `a.${base64url('{')}.c`],
    ['JSON of another kind', tokenOf([1, 2])],
    ['null', tokenOf(null)],
    ['no room', tokenOf({ sub: 'ada', video: {} })],
    ['no identity', tokenOf({ video: VIDEO })],
    ['a video grant that is text', tokenOf({ sub: 'ada', video: 'yes' })],
    ['a room that is a number', tokenOf({ sub: 'ada', video: { room: 7 } })],
  ])('refuses %s', (_, token) => {
    expect(readClaims(token)).toBeUndefined();
  });
});

describe('findToken', () => {
  it.each([
    ['a.b.c', 'a.b.c'],
    ['  a.b.c\n', 'a.b.c'],
    ['https://lectern.example/join/algebra#token=a.b.c', 'a.b.c'],
    ['https://lectern.example/#x=1&token=a.b.c&y=2', 'a.b.c'],
  ])('%j', (pasted, expected) => {
    expect(findToken(pasted)).toBe(expected);
  });
});

describe('invitations', () => {
  const invitation = tokenOf({ lectern_invites: 'algebra' });
  it('are read', () => {
    expect(readInvitation(invitation)).toBe('algebra');
    expect(readClaims(invitation)).toBeUndefined();
  });
  it.each(['', 'a.b.c', tokenOf({ sub: 'ada', video: VIDEO }), tokenOf({ lectern_invites: 7 })])(
    'are not taken for other texts: %s',
    (text) => {
      expect(readInvitation(text)).toBeUndefined();
    },
  );
  it('are found in pasted links', () => {
    expect(findInvitation(` https://lectern.example/join/algebra#invitation=${invitation}\n`)).toBe(
      invitation,
    );
    expect(findInvitation('https://lectern.example/join/algebra#token=a.b.c')).toBe('');
  });
});

describe('chooseToken', () => {
  const kept = tokenOf({ sub: 'ada', video: VIDEO });
  it.each([
    ['the link has a token', { room: 'physics', token: 'new', invitation: '' }, kept, 'new'],
    ['a reload in the room of the stored token', { room: 'algebra', token: '', invitation: '' }, kept, kept],
    ['a link to another room', { room: 'physics', token: '', invitation: '' }, kept, ''],
    ['the start page', { room: '', token: '', invitation: '' }, kept, ''],
    ['nothing is stored', { room: '', token: '', invitation: '' }, '', ''],
    ['the stored text is no token', { room: '', token: '', invitation: '' }, 'nonsense', ''],
  ])('%s', (_, address, remembered, expected) => {
    expect(chooseToken(address, remembered)).toBe(expected);
  });
});

describe('fixedName', () => {
  const claims = {
    room: 'algebra',
    identity: 'ada',
    name: '',
    mayRename: false,
    mayPublish: true,
    administers: false,
  };
  it.each([
    ['the token has a name', { ...claims, name: 'Ada' }, 'Ada'],
    ['the token has a name, and allows renaming', { ...claims, name: 'Ada', mayRename: true }, 'Ada'],
    ['no name, and no renaming', claims, 'ada'],
    ['no name, but renaming', { ...claims, mayRename: true }, undefined],
  ])('%s', (_, given, expected) => {
    expect(fixedName(given)).toBe(expected);
  });
});
