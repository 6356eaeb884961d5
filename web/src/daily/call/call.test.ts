import { describe, expect, it } from 'vitest';

import { openDevices } from '../../client/media/devices/open';
import { Preview } from '../../client/media/devices/preview';
import { Call, type JoinOptions } from './call';
import { DoorError, type Door, type EnterResult, type MeetingSettings } from './door';

const SETTINGS: MeetingSettings = {
  room: { name: 'maths' },
  userName: '',
  isOwner: false,
  mustKnock: false,
  prejoin: true,
  people: true,
  chat: true,
  network: false,
  hands: false,
  screenShare: true,
  startVideoOff: true,
  startAudioOff: true,
  lang: 'en',
  redirectOnExit: '',
};
const OPTIONS: JoinOptions = {
  token: 't',
  userName: 'Ben',
  startVideoOff: undefined,
  startAudioOff: undefined,
};

/** A server with prepared answers that records what it was asked. */
class FakeDoor {
  readonly asked: string[] = [];
  answers: (EnterResult | DoorError)[] = [];

  constructor(public answer: Partial<MeetingSettings> | DoorError = {}) {}

  settings(token: string): Promise<MeetingSettings> {
    this.asked.push(`settings ${token}`);
    if (this.answer instanceof DoorError) return Promise.reject(this.answer);
    return Promise.resolve({ ...SETTINGS, ...this.answer });
  }
  enter(_token: string, userName: string): Promise<EnterResult> {
    return this.next(`enter ${userName}`);
  }
  knockStatus(id: string): Promise<EnterResult> {
    return this.next(`status ${id}`);
  }
  withdrawKnock(id: string): Promise<void> {
    this.asked.push(`withdraw ${id}`);
    return Promise.resolve();
  }
  private next(what: string): Promise<EnterResult> {
    this.asked.push(what);
    const answer = this.answers.shift() ?? { state: 'denied' };
    return answer instanceof DoorError ? Promise.reject(answer) : Promise.resolve(answer);
  }
}

function setUp(door: FakeDoor) {
  const waits: (() => void)[] = [];
  const kept: string[] = [];
  const call = new Call({
    door: door as unknown as Door,
    preview: new Preview({ camera: '', microphone: '' }, openDevices, false),
    signallingUrl: 'ws://localhost',
    keepToken: (token) => kept.push(token),
    wait: () => new Promise((resolve) => waits.push(resolve)),
  });
  return { call, kept, tick: () => waits.shift()?.() };
}

const WAITING: EnterResult = { state: 'waiting', id: 'k' };

/** Run all promises that can be settled now. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

describe('joining', () => {
  it('starts with a hair check if the room has one, and stores the token for reloads', async () => {
    const { call, kept } = setUp(new FakeDoor());
    await call.join(OPTIONS);
    expect(call.state.snapshot()).toMatchObject({ name: 'haircheck', userName: 'Ben', busy: false });
    expect(kept).toEqual(['t']);
  });
  it('prefers the name of the token', async () => {
    const { call } = setUp(new FakeDoor({ userName: 'Benjamin' }));
    await call.join(OPTIONS);
    expect(call.state.snapshot()).toMatchObject({ userName: 'Benjamin' });
    call.rename('Eve');
    expect(call.state.snapshot()).toMatchObject({ userName: 'Benjamin' });
  });
  it('asks somebody who knocks without a name for a name', async () => {
    const { call } = setUp(new FakeDoor({ prejoin: false, mustKnock: true }));
    await call.join({ ...OPTIONS, userName: '' });
    expect(call.state.snapshot()).toMatchObject({ name: 'haircheck' });
    call.rename('Cleo');
    expect(call.state.snapshot()).toMatchObject({ userName: 'Cleo' });
  });
  it('does not store a token that was refused', async () => {
    const { call, kept } = setUp(new FakeDoor(new DoorError('exp-token', 'expired')));
    await call.join(OPTIONS);
    expect(call.state.snapshot()).toMatchObject({
      name: 'over',
      over: { problem: { type: 'exp-token', msg: 'expired' }, again: undefined },
    });
    expect(kept).toEqual([]);
  });
  it('reports that the room filled up meanwhile, and can be retried', async () => {
    const door = new FakeDoor();
    door.answers = [new DoorError('meeting-full', 'full')];
    const { call } = setUp(door);
    await call.join(OPTIONS);
    await call.proceed('Ben');
    expect(call.state.snapshot()).toMatchObject({
      name: 'over',
      over: { problem: { type: 'meeting-full' } },
    });
    await call.retry();
    expect(call.state.snapshot()).toMatchObject({ name: 'haircheck' });
  });
  it.each([
    [undefined, undefined, []],
    [false, undefined, ['camera']],
    [false, false, ['microphone', 'camera']],
  ])(
    'starts devices as the embedding page says, otherwise as the room does',
    async (video, audio, expected) => {
      const { call } = setUp(new FakeDoor());
      await call.join({ ...OPTIONS, startVideoOff: video, startAudioOff: audio });
      expect(call.initialDevices(SETTINGS)).toEqual(expected);
    },
  );
});

describe('knocking', () => {
  async function knock() {
    const door = new FakeDoor({ prejoin: false, mustKnock: true });
    door.answers = [WAITING, WAITING];
    const rig = setUp(door);
    void rig.call.join(OPTIONS);
    await settle();
    expect(rig.call.state.snapshot()).toMatchObject({ name: 'knocking', knock: 'k', denied: false });
    return { ...rig, door };
  }
  it('asks again and again until it is denied', async () => {
    const { call, door, tick } = await knock();
    tick();
    await settle();
    expect(call.state.snapshot()).toMatchObject({ name: 'knocking', denied: false });
    tick();
    await settle();
    expect(call.state.snapshot()).toMatchObject({ name: 'knocking', denied: true });
    expect(door.asked).toEqual(['settings t', 'enter Ben', 'status k', 'status k']);
  });
  it('ends with leaving, and nothing is asked afterwards', async () => {
    const { call, door, tick } = await knock();
    call.leave();
    expect(call.state.snapshot()).toMatchObject({ name: 'over', over: { problem: undefined } });
    tick();
    await settle();
    expect(door.asked).toEqual(['settings t', 'enter Ben', 'withdraw k']);
  });
});
