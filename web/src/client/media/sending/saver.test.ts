import { RemoteTrackPublication, RoomEvent, Track, type Room } from 'livekit-client';
import { describe, expect, it } from 'vitest';

import { DataSaver } from './saver';

/** A publication of the client library that records whether the page wants it. */
function publication(source: Track.Source, desired = true): RemoteTrackPublication {
  const fake = {
    source,
    isDesired: desired,
    setSubscribed(wanted: boolean) {
      this.isDesired = wanted;
    },
  };
  return Object.create(
    RemoteTrackPublication.prototype,
    Object.getOwnPropertyDescriptors(fake),
  ) as RemoteTrackPublication;
}

function setUp(publications: RemoteTrackPublication[], camera = true) {
  const listeners = new Map<string, (publication: RemoteTrackPublication) => void>();
  const me = {
    isCameraEnabled: camera,
    setCameraEnabled: (on: boolean) => {
      me.isCameraEnabled = on;
      return Promise.resolve();
    },
  };
  const trackPublications = new Map(publications.map((each, index) => [String(index), each]));
  const room = {
    localParticipant: me,
    remoteParticipants: new Map([['ben', { trackPublications }]]),
    on: (event: string, listener: (publication: RemoteTrackPublication) => void) =>
      listeners.set(event, listener),
  };
  const publish = (each: RemoteTrackPublication): void => listeners.get(RoomEvent.TrackPublished)?.(each);
  return { saver: new DataSaver(room as unknown as Room), me, publish };
}

describe('DataSaver', () => {
  it('leaves cameras, keeps sound and screens, and turns the own camera off', async () => {
    const all = [Track.Source.Camera, Track.Source.Microphone, Track.Source.ScreenShare].map((source) =>
      publication(source),
    );
    const { saver, me } = setUp(all);
    await saver.set(true);
    expect(all.map(({ isDesired }) => isDesired)).toEqual([false, true, true]);
    expect(me.isCameraEnabled).toBe(false);
    await saver.set(false);
    expect(all.map(({ isDesired }) => isDesired)).toEqual([true, true, true]);
    expect(me.isCameraEnabled).toBe(true);
  });
  it('leaves cameras that are published later', async () => {
    const { saver, publish } = setUp([]);
    const [before, after] = [publication(Track.Source.Camera), publication(Track.Source.Camera)];
    publish(before);
    await saver.set(true);
    publish(after);
    expect([before.isDesired, after.isDesired]).toEqual([true, false]);
  });
  it('does not subscribe to what an application did not want, and leaves a camera off that was off', async () => {
    const unwanted = publication(Track.Source.Camera, false);
    const { saver, me } = setUp([unwanted], false);
    await saver.set(true);
    await saver.set(false);
    expect(unwanted.isDesired).toBe(false);
    expect(me.isCameraEnabled).toBe(false);
  });
});
