/** LiveKit's names of the tracks that cameras and microphones produce. */
import { Track } from 'livekit-client';

import type { DeviceKind } from './devices';

export const TRACK_SOURCE: Readonly<Record<DeviceKind, Track.Source>> = {
  camera: Track.Source.Camera,
  microphone: Track.Source.Microphone,
};
