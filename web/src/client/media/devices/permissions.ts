/** What a participant may publish, by the permission that the server sent. */
import { Track } from 'livekit-client';

export interface Permission {
  canPublish: boolean;
  /** Numbers of `livekit.TrackSource`; an empty list allows all. */
  canPublishSources: readonly number[];
}

// livekit.TrackSource of livekit_models.proto.
const SOURCE_NUMBER: Readonly<Partial<Record<Track.Source, number>>> = {
  [Track.Source.Camera]: 1,
  [Track.Source.Microphone]: 2,
  [Track.Source.ScreenShare]: 3,
  [Track.Source.ScreenShareAudio]: 4,
};

/** Whether a source may be published; nothing may before the server has sent a permission. */
export function mayPublish(permission: Permission | undefined, source: Track.Source): boolean {
  if (permission?.canPublish !== true) return false;
  const number = SOURCE_NUMBER[source];
  if (number === undefined) return false;
  return permission.canPublishSources.length === 0 || permission.canPublishSources.includes(number);
}
