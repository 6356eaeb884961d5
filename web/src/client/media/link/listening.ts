/**
 * Delays voices and faces at a participant whose microphone is off. Nobody waits for an answer of such a listener, so a third of a
 * second does no harm, and it covers what congestion control prevents too late: the queue that a new slide makes on a link in the
 * moment in which the link becomes narrow. Once the microphone is on, the browser chooses the delay again. A shared screen and its
 * sound are not delayed.
 */
import { RoomEvent, Track, type Room } from 'livekit-client';

const LISTENING_MS = 350;

/** Follow a room from now on. */
export function delayWhileListening(room: Room): void {
  const apply = (): void => {
    const target = room.localParticipant.isMicrophoneEnabled ? null : LISTENING_MS;
    for (const participant of room.remoteParticipants.values()) {
      for (const source of [Track.Source.Microphone, Track.Source.Camera]) {
        const receiver = participant.getTrackPublication(source)?.track?.receiver;
        // Browsers without this property of W3C webrtc-extensions ignore it.
        if (receiver) receiver.jitterBufferTarget = target;
      }
    }
  };
  room
    .on(RoomEvent.TrackSubscribed, apply)
    .on(RoomEvent.LocalTrackPublished, apply)
    .on(RoomEvent.LocalTrackUnpublished, apply)
    .on(RoomEvent.TrackMuted, apply)
    .on(RoomEvent.TrackUnmuted, apply);
}
