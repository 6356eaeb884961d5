/** What the user chooses to publish while in a room, for the next time they join. */
import { RoomEvent, type Participant, type Room, type TrackPublication } from 'livekit-client';

import type { DeviceKind } from './devices';
import { TRACK_SOURCE } from './trackSource';

export type Choice = Readonly<Record<DeviceKind, boolean>>;

/** Follow the choice from now on; the returned function gives the current one. */
export function followChoice(room: Room, first: Choice): () => Choice {
  let choice = first;
  const changed = (publication: TrackPublication, participant: Participant): void => {
    if (participant.isLocal) choice = choiceAfter(choice, publication);
  };
  // Not `LocalTrackUnpublished`: only the client library unpublishes a camera or microphone, while it disconnects.
  room
    .on(RoomEvent.LocalTrackPublished, changed)
    .on(RoomEvent.TrackMuted, changed)
    .on(RoomEvent.TrackUnmuted, changed);
  return () => choice;
}

/** The choice after a device was published, muted or unmuted. */
export function choiceAfter(
  choice: Choice,
  { source, isMuted }: Pick<TrackPublication, 'source' | 'isMuted'>,
): Choice {
  for (const kind of ['camera', 'microphone'] as const) {
    if (TRACK_SOURCE[kind] === source) return { ...choice, [kind]: !isMuted };
  }
  return choice;
}
