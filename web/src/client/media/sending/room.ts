/** Creates a room and publishes the devices that were chosen in the lobby. */
import {
  Room,
  RoomEvent,
  ScreenSharePresets,
  Track,
  VideoPreset,
  VideoPresets,
  LocalVideoTrack,
  type LocalAudioTrack,
  type ScreenShareCaptureOptions,
} from 'livekit-client';

import '../quiet';
import { capBitrate } from './cap';
import { blur } from '../devices/blur';
import { MEDIA_DEVICE_KIND, type DeviceKind } from '../devices/devices';
import { TRACK_SOURCE } from '../devices/trackSource';
import { delayWhileListening } from '../link/listening';
import { pauseUnseen } from '../link/unseen';
import { mayPublish } from '../devices/permissions';

/** What to publish: an open track, or whether to open one. */
export interface Sending {
  camera: LocalVideoTrack | boolean;
  microphone: LocalAudioTrack | boolean;
}

/** Slides and code have to stay legible: `detail` keeps the resolution and drops frames. */
export const SCREEN_CAPTURE: ScreenShareCaptureOptions = {
  audio: true,
  contentHint: 'detail',
  resolution: ScreenSharePresets.h1080fps15.resolution,
};

// Text has to stay sharp on weak links too: all layers have the full size and differ in bitrate and frame rate. The lower
// layers are given more pixels than any screen has, so that they are never scaled down. The first picture of a slide takes
// 60 kB at every rate, because of the encoder's coarsest quantiser; the rest keeps to the rate, and the lowest layer leaves
// room for the next slide on a link of 150 kbit/s. The server has only those layers encoded that it forwards to somebody.
const SCREEN_HIGH = { maxBitrate: 1_500_000, maxFramerate: 15 };
const SCREEN_LOWER = [
  new VideoPreset(16_384, 16_384, 45_000, 3),
  new VideoPreset(16_384, 16_384, 150_000, 5),
];

/** Limit of each camera layer while its owner shares a screen: audio and slides have priority. */
const CAMERA_WHILE_SHARING_BPS = 400_000;

/**
 * Create a room, not connected yet. `ids` name the devices that it opens itself, `speaker` the one that plays the sound; empty
 * where the browser chooses.
 */
export function createRoom(ids: Record<DeviceKind, string>, speaker = ''): Room {
  const room = new Room({
    // Subscribe to videos that are on the screen, in their displayed size; encode only what is subscribed to.
    adaptiveStream: true,
    dynacast: true,
    videoCaptureDefaults: {
      ...(ids.camera !== '' && { deviceId: ids.camera }),
      resolution: VideoPresets.h720.resolution,
    },
    ...(ids.microphone !== '' && { audioCaptureDefaults: { deviceId: ids.microphone } }),
    ...(speaker !== '' && { audioOutput: { deviceId: speaker } }),
    publishDefaults: {
      simulcast: true,
      videoCodec: 'vp8',
      screenShareEncoding: SCREEN_HIGH,
      screenShareSimulcastLayers: SCREEN_LOWER,
    },
  });
  room.on(RoomEvent.LocalTrackPublished, ({ source, track }) => {
    if (source === Track.Source.ScreenShare) void withoutTemporalLayers(track?.sender);
    if (source === Track.Source.Camera && track instanceof LocalVideoTrack) blur.follow(track);
  });
  pauseUnseen(room);
  delayWhileListening(room);
  const cap = (): void => void capCamera(room);
  return room.on(RoomEvent.LocalTrackPublished, cap).on(RoomEvent.LocalTrackUnpublished, cap);
}

/**
 * Encode each layer of a screen without temporal layers (W3C webrtc-svc: L1T1). With them a new slide is often sent twice: in
 * a picture that no other picture refers to, and again in the next picture of the base layer. Browsers that know no modes
 * ignore this.
 */
export async function withoutTemporalLayers(
  sender: Pick<RTCRtpSender, 'getParameters' | 'setParameters'> | undefined,
): Promise<void> {
  if (sender === undefined) return;
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings) Object.assign(encoding, { scalabilityMode: 'L1T1' });
  await sender.setParameters(parameters).catch(() => undefined);
}

/** Limit the bitrate of the camera while a screen is shared. */
export async function capCamera(room: Pick<Room, 'localParticipant'>): Promise<void> {
  const me = room.localParticipant;
  const camera = me.getTrackPublication(Track.Source.Camera)?.track?.sender;
  const limit = me.isScreenShareEnabled ? CAMERA_WHILE_SHARING_BPS : undefined;
  // A sender that is being closed rejects new parameters, and needs none.
  await capBitrate(camera, 'sharing', limit).catch(() => undefined);
}

/** Set the entered display name, unless the token prescribes one. False if the server refused it. */
export async function showName(room: Room, name: string): Promise<boolean> {
  const me = room.localParticipant;
  if (me.name === name || me.permissions?.canUpdateMetadata !== true) return true;
  try {
    await me.setName(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * Publish the chosen devices, as far as the permission allows. Never throws: `report` receives each failure, and the
 * device that failed is closed.
 */
export async function startSending(
  room: Room,
  sending: Sending,
  report: (kind: DeviceKind, error: unknown) => void,
): Promise<void> {
  const me = room.localParticipant;
  const attempt = async (kind: DeviceKind, open: () => Promise<unknown>): Promise<void> => {
    const what = sending[kind];
    if (what === false) return;
    const close = (): void => {
      if (what !== true) what.stop();
    };
    if (!mayPublish(me.permissions, TRACK_SOURCE[kind])) {
      close();
      return;
    }
    try {
      await (what === true ? open() : me.publishTrack(what));
    } catch (error) {
      close();
      report(kind, error);
    }
  };
  // Together, so that one negotiation covers both; audio first, because a lesson works without video.
  await Promise.all([
    attempt('microphone', () => me.setMicrophoneEnabled(true)),
    attempt('camera', () => me.setCameraEnabled(true)),
  ]);
}

/** The id of the device in use, or of the one that would be used; empty where the browser chooses. */
export function deviceInUse(room: Room, kind: DeviceKind): string {
  const track = room.localParticipant.getTrackPublication(TRACK_SOURCE[kind])?.track?.mediaStreamTrack;
  return track?.getSettings().deviceId ?? room.getActiveDevice(MEDIA_DEVICE_KIND[kind]) ?? '';
}
