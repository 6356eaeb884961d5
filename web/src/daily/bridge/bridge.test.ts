import { describe, expect, it, vi } from 'vitest';

import type { Fields } from '../../client/json';
import { Store } from '../../client/store';
import { INITIAL_APPEARANCE } from '../call/appearance';
import type { Call } from '../call/call';
import type { Meeting } from '../call/meeting';
import { endByError, endByLeaving, type Step } from '../call/step';
import { Bridge, joinOptions } from './bridge';
import { Wire } from './wire';

vi.mock('./style', () => ({
  applyTheme: () => undefined,
  applyCss: () => undefined,
  applyClass: () => undefined,
}));

const FRAME = { id: '42', origin: 'https://school.example' };

/** A bridge between an embedding page and a call that only record what they receive. */
function setUp() {
  const told: Fields[] = [];
  const parent = { postMessage: (message: Fields) => told.push(message) } as unknown as Window;
  let hear: (event: unknown) => void = () => undefined;
  vi.stubGlobal('window', { addEventListener: (_: string, listener: typeof hear) => (hear = listener) });
  let step: Step<Meeting> = { name: 'waiting' };
  let changed = (): void => undefined;
  const done: string[] = [];
  const call = {
    state: {
      snapshot: () => step,
      subscribe: (listener: () => void) => (changed = listener),
    },
    join: ({ token }: { token: string }) => Promise.resolve(done.push(`join ${token}`)),
    leave: () => done.push('leave'),
    settings: { room: { name: 'maths' } },
    meeting: undefined,
  };
  const appearance = new Store(INITIAL_APPEARANCE);
  const bridge = new Bridge(new Wire(FRAME, parent), call as unknown as Call, appearance, 'of the address');
  bridge.start();
  return {
    knows: (action: string) => bridge.knows(action),
    done,
    appearance,
    go: (next: Step<Meeting>) => {
      step = next;
      changed();
    },
    say: (action: string, fields: Fields = {}) => {
      const data = { what: 'iframe-call-message', from: 'module', callClientId: '42', action, ...fields };
      hear({ data, origin: FRAME.origin, source: parent });
    },
    take: () => told.splice(0).map(({ action, ...fields }) => ({ action, ...fields })),
  };
}

describe('Bridge', () => {
  it('reports that it is loaded once it has the launch configuration', () => {
    const { say, take, appearance } = setUp();
    expect(take()).toMatchObject([{ action: 'iframe-ready-for-launch-config' }]);
    say('iframe-launch-config', { showLeaveButton: true, url: 'https://x' });
    expect(take()).toMatchObject([{ action: 'loaded' }, { action: 'call-machine-initialized' }]);
    expect(appearance.snapshot().showLeaveButton).toBe(true);
  });
  it('prefers the token of the message to that of the address', () => {
    const { say, done } = setUp();
    say('join-meeting', { properties: { token: 'of the message' } });
    say('join-meeting', { properties: {} });
    say('leave-meeting');
    expect(done).toEqual(['join of the message', 'join of the address', 'leave']);
  });
  it('reports how the call ended', () => {
    const { go, take } = setUp();
    take();
    go({ name: 'over', over: endByLeaving(), attempt: undefined });
    expect(take()).toMatchObject([{ action: 'left-meeting' }]);
    go({ name: 'waiting' });
    go({ name: 'over', over: endByError('connection-error', 'unreachable'), attempt: undefined });
    expect(take()).toMatchObject([
      {
        action: 'error',
        errorMsg: 'unreachable',
        error: { type: 'connection-error', msg: 'unreachable', details: '{"on":"join"}' },
        preserveIframe: true,
      },
    ]);
  });
  it('reports each change of the appearance once', () => {
    const { appearance, take } = setUp();
    take();
    appearance.update({ sidebar: 'chat' });
    appearance.update({ sidebar: 'chat', activeSpeakerMode: true });
    expect(take()).toMatchObject([
      { action: 'sidebar-view-changed', view: 'chat' },
      { action: 'active-speaker-mode-change', enabled: true },
    ]);
  });
  it.each([
    ['lib-room-info', { name: 'maths' }],
    ['get-network-topology', { topology: 'sfu' }],
    ['get-sidebar-view', { view: null }],
    ['start-custom-integrations', { error: { type: 'unsupported' } }],
    ['what-is-this', { error: { type: 'unsupported' } }],
    ['constructor', { error: { type: 'unsupported' } }],
  ])('answers %s', (action, answer) => {
    const { say, take } = setUp();
    take();
    say(action, { callbackStamp: 's' });
    expect(take()[0]).toMatchObject({ action, callbackStamp: 's', ...answer });
  });
  // All actions that daily-js 0.60 to 0.92 sends in iframe mode.
  it.each(
    `local-audio local-video local-screen-start local-screen-stop local-screen-update update-participant
    update-participants app-msg local-recording-start local-recording-stop daily-method-update-recording set-bandwidth
    update-send-settings update-input-settings get-calc-stats get-cpu-load-stats lib-room-info set-user-name
    set-user-data enumerate-devices get-input-devices set-input-devices set-output-device cycle-camera cycle-mic
    set-theme set-daily-lang get-daily-lang set-active-speaker-mode set-show-local-video set-show-participants-bar
    set-show-names set-sidebar-view get-sidebar-view update-custom-tray-buttons set-custom-integrations
    start-custom-integrations stop-custom-integrations load-css daily-method-start-transcription
    daily-method-update-transcription daily-method-stop-transcription daily-method-start-live-streaming
    daily-method-update-live-streaming daily-method-update-live-streaming-endpoints daily-method-stop-live-streaming
    get-meeting-session get-network-topology set-network-topology set-ice-config set-proxy-url
    daily-method-set-play-ding daily-method-subscribe-to-tracks-automatically transmit-log fullscreen exited-fullscreen
    start-local-audio-level-observer stop-local-audio-level-observer start-remote-participants-audio-level-observer
    stop-remote-participants-audio-level-observer set-allow-local-audio set-allow-local-video`.split(/\s+/u),
  )('knows %s', (action) => {
    expect(setUp().knows(action)).toBe(true);
  });
  it.each(['local-screen-start', 'app-msg', 'update-participant', 'get-calc-stats', 'transmit-log'])(
    'ignores %s outside a meeting',
    (action) => {
      const { say, take } = setUp();
      take();
      say(action, { data: 1, id: 'local', properties: {} });
      expect(take()).toEqual([]);
    },
  );
});

describe('joinOptions', () => {
  it('ignores fields of the wrong type', () => {
    expect(
      joinOptions({ userName: 'Ada', startVideoOff: true, startAudioOff: 'yes', token: 7 }, 't'),
    ).toEqual({
      token: 't',
      userName: 'Ada',
      startVideoOff: true,
      startAudioOff: undefined,
    });
  });
});
