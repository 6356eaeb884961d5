import { RoomEvent, type Room } from 'livekit-client';
import { describe, expect, it } from 'vitest';

import { delayWhileListening } from './listening';

describe('audio', () => {
  const receiver = { jitterBufferTarget: null as number | null };
  const localParticipant = { isMicrophoneEnabled: false };
  const listeners = new Map<RoomEvent, () => void>();
  const publications = new Map([
    ['speech', { track: { receiver } }],
    ['not subscribed', { track: undefined }],
  ]);
  const room = {
    localParticipant,
    remoteParticipants: new Map([['tutor', { audioTrackPublications: publications }]]),
    on: (event: RoomEvent, listener: () => void) => (listeners.set(event, listener), room),
  };
  delayWhileListening(room as unknown as Room);

  it('is delayed for a listener', () => {
    listeners.get(RoomEvent.TrackSubscribed)?.();
    expect(receiver.jitterBufferTarget).toBe(350);
  });
  it('is not delayed for a speaker', () => {
    localParticipant.isMicrophoneEnabled = true;
    listeners.get(RoomEvent.LocalTrackPublished)?.();
    expect(receiver.jitterBufferTarget).toBeNull();
  });
  it('is delayed again when the microphone is off', () => {
    localParticipant.isMicrophoneEnabled = false;
    listeners.get(RoomEvent.TrackMuted)?.();
    expect(receiver.jitterBufferTarget).toBe(350);
    localParticipant.isMicrophoneEnabled = true;
    listeners.get(RoomEvent.TrackUnmuted)?.();
    expect(receiver.jitterBufferTarget).toBeNull();
  });
});
