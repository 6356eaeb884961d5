import { RoomEvent, Track, type Room } from 'livekit-client';
import { describe, expect, it } from 'vitest';

import { choiceAfter, followChoice } from './choice';

const BOTH = { camera: true, microphone: true };

describe('choiceAfter', () => {
  it.each([
    [Track.Source.Camera, true, { camera: false, microphone: true }],
    [Track.Source.Microphone, true, { camera: true, microphone: false }],
    [Track.Source.Camera, false, BOTH],
    [Track.Source.ScreenShare, true, BOTH],
  ])('%s, muted %j', (source, isMuted, expected) => {
    expect(choiceAfter(BOTH, { source, isMuted })).toEqual(expected);
  });
});

type Listener = (publication: unknown, participant: unknown) => void;

describe('followChoice', () => {
  function setUp() {
    const listeners = new Map<string, Listener>();
    const room = {
      on(event: string, listener: Listener) {
        listeners.set(event, listener);
        return this;
      },
    };
    const choice = followChoice(room as unknown as Room, BOTH);
    const emit = (event: string, source: Track.Source, isMuted: boolean, isLocal = true): void =>
      listeners.get(event)?.({ source, isMuted }, { isLocal });
    return { choice, emit };
  }
  it('survives the end of the room, where the client library unpublishes everything', () => {
    const { choice, emit } = setUp();
    emit(RoomEvent.LocalTrackPublished, Track.Source.Camera, false);
    emit(RoomEvent.LocalTrackUnpublished, Track.Source.Camera, true);
    expect(choice()).toEqual(BOTH);
  });
  it('is what the user muted last, whatever others do', () => {
    const { choice, emit } = setUp();
    emit(RoomEvent.TrackMuted, Track.Source.Microphone, true);
    emit(RoomEvent.TrackMuted, Track.Source.Camera, true, false);
    expect(choice()).toEqual({ camera: true, microphone: false });
    emit(RoomEvent.TrackUnmuted, Track.Source.Microphone, false);
    expect(choice()).toEqual(BOTH);
  });
});
