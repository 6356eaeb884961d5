import { RoomEvent, Track, type Room } from 'livekit-client';
import { describe, expect, it } from 'vitest';

import { delayWhileListening } from './listening';

describe('voices and faces', () => {
  const localParticipant = { isMicrophoneEnabled: false };
  const receivers = new Map(
    [Track.Source.Microphone, Track.Source.Camera, Track.Source.ScreenShare].map((source) => [
      source,
      { jitterBufferTarget: null as number | null },
    ]),
  );
  const targets = () => [...receivers.values()].map((receiver) => receiver.jitterBufferTarget);
  const tutor = {
    getTrackPublication: (source: Track.Source) => ({ track: { receiver: receivers.get(source) } }),
  };
  const listener = { getTrackPublication: () => undefined };
  const handlers = new Map<RoomEvent, () => void>();
  const room = {
    localParticipant,
    remoteParticipants: new Map<string, unknown>([
      ['tutor', tutor],
      ['listener', listener],
    ]),
    on: (event: RoomEvent, handler: () => void) => (handlers.set(event, handler), room),
  };
  delayWhileListening(room as unknown as Room);

  it('are delayed for a listener, and the screen is not', () => {
    handlers.get(RoomEvent.TrackSubscribed)?.();
    expect(targets()).toEqual([350, 350, null]);
  });
  it('are not delayed for a speaker', () => {
    localParticipant.isMicrophoneEnabled = true;
    handlers.get(RoomEvent.LocalTrackPublished)?.();
    expect(targets()).toEqual([null, null, null]);
  });
  it('are delayed again when the microphone is off', () => {
    localParticipant.isMicrophoneEnabled = false;
    handlers.get(RoomEvent.TrackMuted)?.();
    expect(targets()).toEqual([350, 350, null]);
    localParticipant.isMicrophoneEnabled = true;
    handlers.get(RoomEvent.TrackUnmuted)?.();
    expect(targets()).toEqual([null, null, null]);
  });
});
