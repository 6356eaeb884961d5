/** Opens cameras and microphones. */
import {
  createLocalTracks,
  LocalAudioTrack,
  LocalVideoTrack,
  VideoPresets,
  type CreateLocalTracksOptions,
} from 'livekit-client';

import '../quiet';
import { blur } from './blur';
import type { OpenDevices, PreviewTracks } from './preview';

/** Open devices with the browser's getUserMedia. */
export const openDevices: OpenDevices = async (ids) => {
  const options: CreateLocalTracksOptions = {
    video:
      ids.camera === undefined
        ? false
        : { ...deviceOption(ids.camera), resolution: VideoPresets.h720.resolution },
    audio: ids.microphone === undefined ? false : deviceOption(ids.microphone),
  };
  const opened: Partial<PreviewTracks> = {};
  for (const track of await createLocalTracks(options)) {
    if (track instanceof LocalVideoTrack) {
      blur.follow(track);
      opened.camera = track;
    } else if (track instanceof LocalAudioTrack) opened.microphone = track;
  }
  return opened;
};

function deviceOption(id: string): { deviceId?: string } {
  return id === '' ? {} : { deviceId: id };
}
