import { describe, expect, it } from 'vitest';

import type { Person, SourceState } from '../call/people';
import { dailyParticipant, trackState } from './participant';

const ON: SourceState = { on: true, arrived: true, subscribed: true, allowed: true };
const OFF: SourceState = { ...ON, on: false, arrived: false };

const ADA: Person = {
  identity: 's1',
  userId: 'teacher-1',
  name: 'Ada',
  userData: undefined,
  isLocal: false,
  isOwner: true,
  joinedAtMs: 1000,
  willEjectAtMs: 0,
  hasPresence: true,
  canAdmin: true,
  quality: 'good',
  sources: { audio: ON, video: OFF, screenAudio: OFF, screenVideo: OFF },
};

describe('trackState', () => {
  it.each([
    ['is playable', ON, { state: 'playable', subscribed: true }],
    ['is loading', { ...ON, arrived: false }, { state: 'loading', subscribed: true }],
    ['is not subscribed to', { ...ON, subscribed: false }, { state: 'sendable', subscribed: false }],
    ['is off', OFF, { state: 'off', off: { byUser: true } }],
    [
      'may not be published',
      { ...OFF, allowed: false },
      { state: 'off', off: { byCanSendPermission: true } },
    ],
    [
      'does not work',
      { ...OFF, blocked: 'byDeviceInUse' as const },
      { state: 'blocked', blocked: { byDeviceInUse: true } },
    ],
  ])('says whether a track %s', (_, sent, expected) => {
    expect(trackState(sent)).toMatchObject(expected);
  });
});

describe('dailyParticipant', () => {
  it('has the fields that applications read', () => {
    expect(dailyParticipant(ADA)).toMatchObject({
      session_id: 's1',
      user_id: 'teacher-1',
      user_name: 'Ada',
      owner: true,
      local: false,
      joined_at: new Date(1000),
      will_eject_at: new Date(0),
      audio: true,
      video: false,
      screen: false,
      permissions: { hasPresence: true, canSend: true, canAdmin: true, canReceive: { base: true } },
      tracks: { audio: { state: 'playable' }, video: { state: 'off' }, screenAudio: {}, screenVideo: {} },
    });
  });
  it('uses the participant’s id without a user id', () => {
    expect(dailyParticipant({ ...ADA, userId: '' })['user_id']).toBe('s1');
  });
  it('has user data only if an application set some', () => {
    expect(dailyParticipant({ ...ADA, userData: { seat: 3 } })['userData']).toEqual({ seat: 3 });
    expect(dailyParticipant(ADA)).not.toHaveProperty('userData');
  });
  it.each([
    [[], false],
    [['audio'], new Set(['audio'])],
    [['audio', 'video', 'screenAudio', 'screenVideo'], true],
  ])('sums up what may be published: %j', (allowed, expected) => {
    const sources = Object.fromEntries(
      Object.entries(ADA.sources).map(([name, each]) => [
        name,
        { ...each, allowed: allowed.includes(name as never) },
      ]),
    ) as Person['sources'];
    expect(dailyParticipant({ ...ADA, sources })['permissions']).toMatchObject({ canSend: expected });
  });
});
