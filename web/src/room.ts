/** Joining a room and sending what was chosen in the lobby. */
import {
  Room,
  ScreenSharePresets,
  Track,
  VideoPresets,
  type LocalAudioTrack,
  type LocalVideoTrack,
  type ScreenShareCaptureOptions,
} from 'livekit-client';

import { publishWords, type DeviceKind } from './words';

/** What to send: an open track, or whether to open one. */
export interface Sending {
  camera: LocalVideoTrack | boolean;
  microphone: LocalAudioTrack | boolean;
}

/** LiveKit's name of what a device gives. */
export const SOURCE: Readonly<Record<DeviceKind, Track.Source>> = {
  camera: Track.Source.Camera,
  microphone: Track.Source.Microphone,
};

/** The browsers' name of a kind of device. */
export const BROWSER_KIND: Readonly<Record<DeviceKind, MediaDeviceKind>> = {
  camera: 'videoinput',
  microphone: 'audioinput',
};

/** Slides and code have to stay legible: keep the resolution and drop frames (`detail`). */
export const SCREEN_CAPTURE: ScreenShareCaptureOptions = {
  audio: true,
  contentHint: 'detail',
  resolution: ScreenSharePresets.h1080fps15.resolution,
};

/** Make a room that is not connected yet. `ids` are of devices that it opens itself; empty: the browser's choice. */
export function createRoom(ids: Record<DeviceKind, string>): Room {
  return new Room({
    // Only what is on the screen is asked for, in the size in which it is shown; only what somebody asks for is sent.
    adaptiveStream: true,
    dynacast: true,
    videoCaptureDefaults: {
      ...(ids.camera !== '' && { deviceId: ids.camera }),
      resolution: VideoPresets.h720.resolution,
    },
    ...(ids.microphone !== '' && { audioCaptureDefaults: { deviceId: ids.microphone } }),
    publishDefaults: {
      simulcast: true,
      videoCodec: 'vp8',
      screenShareEncoding: ScreenSharePresets.h1080fps15.encoding,
    },
  });
}

/** Show the name that was typed, where the server does not have it from the token. */
export async function showName(room: Room, name: string, report: (words: string) => void): Promise<void> {
  const me = room.localParticipant;
  if (me.name === name || me.permissions?.canUpdateMetadata !== true) return;
  try {
    await me.setName(name);
  } catch {
    report('The others do not see the name that you typed: the server did not take it.');
  }
}

/** Send what was chosen. Never throws: what cannot be sent is told to `report`, and its device is closed. */
export async function startSending(
  room: Room,
  sending: Sending,
  report: (words: string) => void,
): Promise<void> {
  // Sound first: a lesson works without pictures, not the other way round.
  await attempt('microphone', sending.microphone, () => room.localParticipant.setMicrophoneEnabled(true));
  await attempt('camera', sending.camera, () => room.localParticipant.setCameraEnabled(true));

  async function attempt(
    kind: DeviceKind,
    what: LocalVideoTrack | LocalAudioTrack | boolean,
    open: () => Promise<unknown>,
  ) {
    if (what === false) return;
    try {
      await (what === true ? open() : room.localParticipant.publishTrack(what));
    } catch (error) {
      if (what !== true) what.stop();
      report(publishWords(kind, error));
    }
  }
}

/** The id of the device that a kind is sent from, or would be; empty when the browser chooses. */
export async function deviceInUse(room: Room, kind: DeviceKind): Promise<string> {
  const track = room.localParticipant.getTrackPublication(SOURCE[kind])?.track;
  return (await track?.getDeviceId()) ?? room.getActiveDevice(BROWSER_KIND[kind]) ?? '';
}
