/** What a participant may send, out of the permission that the server gave. */
import { Track } from 'livekit-client';

export interface Permission {
  canPublish: boolean;
  /** Numbers of `livekit.TrackSource`; none named: all. */
  canPublishSources: readonly number[];
}

// livekit.TrackSource of livekit_models.proto.
const SOURCE_NUMBER: Readonly<Partial<Record<Track.Source, number>>> = {
  [Track.Source.Camera]: 1,
  [Track.Source.Microphone]: 2,
  [Track.Source.ScreenShare]: 3,
  [Track.Source.ScreenShareAudio]: 4,
};

/** Whether a source may be sent; without any permission yet, nothing may. */
export function mayPublish(permission: Permission | undefined, source: Track.Source): boolean {
  if (permission?.canPublish !== true) return false;
  const number = SOURCE_NUMBER[source];
  if (number === undefined) return false;
  return permission.canPublishSources.length === 0 || permission.canPublishSources.includes(number);
}
