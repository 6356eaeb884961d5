import type { LocalVideoTrack, Room } from 'livekit-client';
import { describe, expect, it, vi } from 'vitest';

import type { Permission } from '../devices/permissions';
import { capCamera, createRoom, showName, startSending, withoutTemporalLayers, type Sending } from './room';

/** A connected room that records its calls and fails at the one named in `failing`. */
class FakeRoom {
  readonly calls: string[] = [];
  failing = '';
  readonly localParticipant;

  constructor(permissions: Permission & { canUpdateMetadata?: boolean }, name = '') {
    const call = (what: string): Promise<void> => {
      this.calls.push(what);
      return what === this.failing ? Promise.reject(new Error('refused')) : Promise.resolve();
    };
    this.localParticipant = {
      permissions,
      name,
      publishTrack: (track: FakeTrack) => call(`publish ${track.name}`),
      setMicrophoneEnabled: () => call('open microphone'),
      setCameraEnabled: () => call('open camera'),
      setName: (wanted: string) => call(`name ${wanted}`),
    };
  }

  get room(): Room {
    return this as unknown as Room;
  }
}

class FakeTrack {
  running = true;
  constructor(readonly name: string) {}
  stop(): void {
    this.running = false;
  }
  get track(): LocalVideoTrack {
    return this as unknown as LocalVideoTrack;
  }
}

const ALL: Permission = { canPublish: true, canPublishSources: [] };

async function send(fake: FakeRoom, sending: Sending): Promise<string[]> {
  const reports: string[] = [];
  await startSending(fake.room, sending, (kind) => reports.push(kind));
  return reports;
}

describe('startSending', () => {
  it('publishes the tracks of the lobby, audio first', async () => {
    const fake = new FakeRoom(ALL);
    const camera = new FakeTrack('camera');
    const sending = { camera: camera.track, microphone: true };
    expect(await send(fake, sending)).toEqual([]);
    expect(fake.calls).toEqual(['open microphone', 'publish camera']);
    expect(camera.running).toBe(true);
  });
  it('publishes nothing that was not chosen', async () => {
    const fake = new FakeRoom(ALL);
    await send(fake, { camera: false, microphone: false });
    expect(fake.calls).toEqual([]);
  });
  it('closes what is not allowed, and continues', async () => {
    const fake = new FakeRoom({ canPublish: true, canPublishSources: [2] });
    const camera = new FakeTrack('camera');
    expect(await send(fake, { camera: camera.track, microphone: true })).toEqual([]);
    expect(fake.calls).toEqual(['open microphone']);
    expect(camera.running).toBe(false);
  });
  it('reports and closes what fails, and continues', async () => {
    const fake = new FakeRoom(ALL);
    const camera = new FakeTrack('camera');
    fake.failing = 'publish camera';
    expect(await send(fake, { camera: camera.track, microphone: true })).toEqual(['camera']);
    expect(camera.running).toBe(false);
    expect(fake.calls).toContain('open microphone');
  });
});

describe('showName', () => {
  const mayRename = { ...ALL, canUpdateMetadata: true };
  it.each<[string, FakeRoom, string[]]>([
    ['sets a new name', new FakeRoom(mayRename), ['name Ada']],
    ['keeps the name of the token', new FakeRoom(mayRename, 'Ada'), []],
    ['does not set a name without permission', new FakeRoom(ALL), []],
  ])('%s', async (_, fake, calls) => {
    expect(await showName(fake.room, 'Ada')).toBe(true);
    expect(fake.calls).toEqual(calls);
  });
  it('returns false when the server refuses', async () => {
    const fake = new FakeRoom(mayRename);
    fake.failing = 'name Ada';
    expect(await showName(fake.room, 'Ada')).toBe(false);
  });
});

describe('createRoom', () => {
  it('opens the devices that were chosen', () => {
    const { options } = createRoom({ camera: 'c1', microphone: 'm1' });
    expect(options.videoCaptureDefaults?.deviceId).toBe('c1');
    expect(options.audioCaptureDefaults?.deviceId).toBe('m1');
  });
  it('saves bandwidth in both directions', () => {
    const { options } = createRoom({ camera: '', microphone: '' });
    expect(options).toMatchObject({ adaptiveStream: true, dynacast: true });
  });
});

describe('sharing a screen', () => {
  it('publishes three layers of full size that differ in bitrate', () => {
    const { publishDefaults } = createRoom({ camera: '', microphone: '' }).options;
    expect(publishDefaults?.screenShareEncoding).toEqual({ maxBitrate: 1_500_000, maxFramerate: 15 });
    const lower = publishDefaults?.screenShareSimulcastLayers ?? [];
    expect(lower.map(({ encoding }) => encoding)).toMatchObject([
      { maxBitrate: 45_000, maxFramerate: 3 },
      { maxBitrate: 150_000, maxFramerate: 5 },
    ]);
    expect(Math.min(...lower.map(({ width }) => width))).toBeGreaterThan(7680);
  });
  it('encodes no temporal layers', async () => {
    const encodings = [{ rid: 'q' }, { rid: 'h' }];
    const set = vi.fn(() => Promise.resolve());
    const sender = { getParameters: () => ({ encodings }), setParameters: set };
    await withoutTemporalLayers(sender as unknown as RTCRtpSender);
    expect(set).toHaveBeenCalledWith({
      encodings: [
        { rid: 'q', scalabilityMode: 'L1T1' },
        { rid: 'h', scalabilityMode: 'L1T1' },
      ],
    });
    set.mockReturnValueOnce(Promise.reject(new Error('closed')));
    await expect(withoutTemporalLayers(sender as unknown as RTCRtpSender)).resolves.toBeUndefined();
  });
  it('limits the camera while it lasts', async () => {
    let encodings = [{ maxBitrate: 150_000 }, { maxBitrate: 1_700_000 }];
    const sender = {
      getParameters: () => ({ encodings: encodings.map((each) => ({ ...each })) }),
      setParameters: (parameters: { encodings: typeof encodings }) => {
        ({ encodings } = parameters);
        return Promise.resolve();
      },
    };
    const me = { isScreenShareEnabled: true, getTrackPublication: () => ({ track: { sender } }) };
    const room = { localParticipant: me } as unknown as Room;
    await capCamera(room);
    expect(encodings.map(({ maxBitrate }) => maxBitrate)).toEqual([150_000, 400_000]);
    me.isScreenShareEnabled = false;
    await capCamera(room);
    expect(encodings.map(({ maxBitrate }) => maxBitrate)).toEqual([150_000, 1_700_000]);
  });
});
