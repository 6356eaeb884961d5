/**
 * Pauses videos that no tile shows: cameras on another page of the grid, students' screens while the wall is closed, everybody
 * while only a scene is shown. Adaptive stream of LiveKit's client pauses a video whose last element was taken away, but not
 * one that never had an element, which would be received at full size.
 */
import { RemoteVideoTrack, RoomEvent, type Room } from 'livekit-client';

// Tiles attach their video within a frame or two; a busy page takes longer.
const GRACE_MS = 500;

/** Follow a room from now on. */
export function pauseUnseen(room: Room): void {
  room.on(RoomEvent.TrackSubscribed, (track) => {
    if (!(track instanceof RemoteVideoTrack)) return;
    setTimeout(() => pauseIfUnseen(track), GRACE_MS);
  });
}

/** Give a video without an element one that is not on the page, and take it away: adaptive stream pauses it then. */
export function pauseIfUnseen(track: Pick<RemoteVideoTrack, 'attachedElements' | 'attach' | 'detach'>): void {
  if (track.attachedElements.length > 0) return;
  track.detach(track.attach());
}
