import type { LocalAudioTrack, LocalVideoTrack } from 'livekit-client';
import { describe, expect, it } from 'vitest';

import type { DeviceKind } from './devices';
import { Preview, type OpenDevices } from './preview';

/** An open track that records whether it still runs, and can be unplugged. */
class FakeTrack {
  running = true;
  private ended: (() => void) | undefined;
  stop(): void {
    this.running = false;
  }
  once(_event: string, listener: () => void): void {
    this.ended = listener;
  }
  unplug(): void {
    this.ended?.();
  }
}

/** The browser's devices: they open at once, fail with the error named in `failures`, or wait if `slow`. */
class FakeDevices {
  readonly asked: Partial<Record<DeviceKind, string>>[] = [];
  readonly opened: { kind: DeviceKind; track: FakeTrack }[] = [];
  readonly failures: Partial<Record<DeviceKind, string>> = {};
  private readonly waiting: (() => void)[] = [];
  slow = false;

  readonly open: OpenDevices = async (ids) => {
    this.asked.push(ids);
    if (this.slow) await new Promise<void>((resolve) => this.waiting.push(resolve));
    const kinds = Object.keys(ids) as DeviceKind[];
    for (const kind of kinds) {
      const failure = this.failures[kind];
      if (failure !== undefined) throw new DOMException('', failure);
    }
    return Object.fromEntries(kinds.map((kind) => [kind, this.make(kind)]));
  };

  answer(index: number): void {
    this.waiting[index]?.();
  }

  private make(kind: DeviceKind): LocalVideoTrack | LocalAudioTrack {
    const track = new FakeTrack();
    this.opened.push({ kind, track });
    return track as unknown as LocalVideoTrack;
  }
}

function setUp({ secure = true, camera = '' } = {}) {
  const devices = new FakeDevices();
  const preview = new Preview({ camera, microphone: '' }, devices.open, secure);
  const states = () => [preview.state.snapshot().camera.state, preview.state.snapshot().microphone.state];
  return { devices, preview, states };
}

describe('opening', () => {
  it('opens both at once', async () => {
    const { devices, preview, states } = setUp();
    const started = preview.start();
    expect(states()).toEqual(['opening', 'opening']);
    await started;
    expect(states()).toEqual(['on', 'on']);
    expect(devices.asked).toEqual([{ camera: '', microphone: '' }]);
  });
  it('keeps the microphone when there is no camera', async () => {
    const { devices, preview } = setUp();
    devices.failures.camera = 'NotFoundError';
    await preview.start();
    expect(preview.state.snapshot().camera).toEqual({ state: 'failed', problem: 'missing' });
    expect(preview.state.snapshot().microphone.state).toBe('on');
    expect(devices.opened.filter(({ track }) => track.running)).toHaveLength(1);
  });
  it('opens nothing on a page without https', async () => {
    const { devices, preview } = setUp({ secure: false });
    await preview.start();
    expect(preview.state.snapshot().camera).toEqual({ state: 'failed', problem: 'insecure' });
    expect(preview.state.snapshot().microphone).toEqual({ state: 'failed', problem: 'insecure' });
    expect(devices.asked).toEqual([]);
  });
  it('notifies its subscribers until they unsubscribe', async () => {
    const { preview } = setUp();
    let calls = 0;
    const leave = preview.state.subscribe(() => (calls += 1));
    await preview.start(['camera']);
    expect(calls).toBe(2);
    leave();
    preview.stop();
    expect(calls).toBe(2);
  });
});

describe('switching', () => {
  it('off closes the device', async () => {
    const { devices, preview, states } = setUp();
    await preview.start();
    preview.turnOff('camera');
    expect(states()).toEqual(['off', 'on']);
    expect(devices.opened.map(({ kind, track }) => [kind, track.running])).toEqual([
      ['camera', false],
      ['microphone', true],
    ]);
  });
  it('off while the browser still asks closes the device that opens late', async () => {
    const { devices, preview, states } = setUp();
    devices.slow = true;
    const started = preview.start(['camera']);
    preview.turnOff('camera');
    devices.answer(0);
    await started;
    expect(states()).toEqual(['off', 'off']);
    expect(devices.opened.map(({ track }) => track.running)).toEqual([false]);
  });
  it('twice to another device keeps the last choice, whichever opens first', async () => {
    const { devices, preview } = setUp({ camera: 'c0' });
    devices.slow = true;
    preview.choose('camera', 'c1');
    const first = preview.start(['camera']);
    preview.choose('camera', 'c2');
    const second = preview.start(['camera']);
    devices.answer(1);
    await second;
    devices.answer(0);
    await first;
    expect(devices.asked).toEqual([{ camera: 'c1' }, { camera: 'c2' }]);
    expect(devices.opened.map(({ track }) => track.running)).toEqual([true, false]);
    expect(preview.state.snapshot().camera.state).toBe('on');
    expect(preview.chosen()).toEqual({ camera: 'c2', microphone: '' });
  });
  it('notices that a device was unplugged', async () => {
    const { devices, preview } = setUp();
    await preview.start(['camera']);
    devices.opened[0]?.track.unplug();
    expect(preview.state.snapshot().camera).toEqual({ state: 'failed', problem: 'lost' });
  });
});

describe('the choice of the user', () => {
  it('survives leaving: what was turned off is not opened again', async () => {
    const { devices, preview, states } = setUp();
    await preview.start();
    preview.turnOff('camera');
    preview.stop();
    expect(preview.wanted()).toEqual({ camera: false, microphone: true });
    await preview.resume();
    expect(states()).toEqual(['off', 'on']);
    expect(devices.asked.at(-1)).toEqual({ microphone: '' });
  });
  it('opens nothing when both were turned off', async () => {
    const { devices, preview, states } = setUp();
    preview.want('camera', false);
    preview.want('microphone', false);
    await preview.resume();
    expect(states()).toEqual(['off', 'off']);
    expect(devices.asked).toEqual([]);
  });
  it('is on again when the user turns the device on', async () => {
    const { preview } = setUp();
    preview.turnOff('camera');
    await preview.start(['camera']);
    expect(preview.wanted().camera).toBe(true);
  });
});

describe('handing over', () => {
  it('returns the open tracks and leaves them open', async () => {
    const { devices, preview, states } = setUp();
    await preview.start(['microphone']);
    const tracks = preview.release();
    expect(Object.keys(tracks)).toEqual(['microphone']);
    preview.stop();
    expect(states()).toEqual(['off', 'off']);
    expect(devices.opened[0]?.track.running).toBe(true);
  });
  it('ignores what happens to a track afterwards', async () => {
    const { devices, preview, states } = setUp();
    await preview.start(['camera']);
    preview.release();
    devices.opened[0]?.track.unplug();
    expect(states()).toEqual(['off', 'off']);
  });
  it('waits for the browser’s prompt', async () => {
    const { devices, preview } = setUp();
    devices.slow = true;
    void preview.start();
    let settled = false;
    const waiting = preview.settled().then(() => (settled = true));
    await Promise.resolve();
    expect(settled).toBe(false);
    devices.answer(0);
    await waiting;
    expect(Object.keys(preview.release())).toEqual(['camera', 'microphone']);
  });
  it('waits no longer once everything is turned off', async () => {
    const { devices, preview } = setUp();
    devices.slow = true;
    void preview.start();
    const waiting = preview.settled();
    preview.stop();
    await waiting;
    expect(preview.release()).toEqual({});
  });
});
