/** Cameras, microphones and speakers. */
import { Room } from 'livekit-client';

import { fieldsOf, type Fields } from '../../../client/json';
import { MEDIA_DEVICE_KIND, type DeviceKind } from '../../../client/media/devices/devices';
import { deviceInUse } from '../../../client/media/sending/room';
import { inMeeting, optionalText, type Action, type Context } from './context';

export const DEVICE_ACTIONS: Readonly<Record<string, Action>> = {
  'local-audio': ({ state }, _reply, context) => setDevice(context, 'microphone', state === true),
  'local-video': ({ state }, _reply, context) => setDevice(context, 'camera', state === true),
  'enumerate-devices': async (_fields, reply) => reply({ devices: plain(await devices()) }),
  'get-input-devices': async (_fields, reply, context) => reply(await inUse(context)),
  'set-input-devices': async ({ audioDeviceId, videoDeviceId }, reply, context) => {
    await choose(context, 'microphone', optionalText(audioDeviceId));
    await choose(context, 'camera', optionalText(videoDeviceId));
    reply(await inUse(context));
  },
  'set-output-device': async ({ outputDeviceId }, reply, context) => {
    try {
      await context.call.meeting?.room.switchActiveDevice(
        'audiooutput',
        optionalText(outputDeviceId) ?? 'default',
      );
      reply(await inUse(context));
    } catch (error) {
      reply({ error: { type: 'unknown', message: error instanceof Error ? error.message : String(error) } });
    }
  },
  'cycle-camera': async (_fields, reply, context) => reply({ device: await cycle(context, 'camera') }),
  'cycle-mic': async (_fields, reply, context) => reply({ device: await cycle(context, 'microphone') }),
  'update-input-settings': async ({ inputSettings }, reply, context) => {
    const settings = fieldsOf(inputSettings);
    for (const part of ['audio', 'video']) {
      const processor = fieldsOf(fieldsOf(settings[part])['processor'])['type'];
      if (typeof processor === 'string' && processor !== 'none') {
        reply({ error: { errorMsg: `this page does not support the ${part} processor ${processor}` } });
        return;
      }
    }
    const idOf = (part: string): string | undefined =>
      optionalText(fieldsOf(fieldsOf(settings[part])['settings'])['deviceId']);
    await choose(context, 'microphone', idOf('audio'));
    await choose(context, 'camera', idOf('video'));
    reply({ inputSettings: settings });
  },
  'set-allow-local-audio': ({ state }, _reply, context) =>
    state === false ? setDevice(context, 'microphone', false) : undefined,
  'set-allow-local-video': ({ state }, _reply, context) =>
    state === false ? setDevice(context, 'camera', false) : undefined,
  'start-local-audio-level-observer': inMeeting(({ interval }, reply, { meeting, wire }) => {
    meeting.levels.observe('local', intervalOf(interval), () => {
      wire.post('local-audio-level', { audioLevel: meeting.room.localParticipant.audioLevel });
    });
    reply({});
  }),
  'stop-local-audio-level-observer': inMeeting((_fields, _reply, { meeting }) =>
    meeting.levels.stop('local'),
  ),
  'start-remote-participants-audio-level-observer': inMeeting(({ interval }, reply, { meeting, wire }) => {
    meeting.levels.observe('remote', intervalOf(interval), () => {
      const levels = [...meeting.room.remoteParticipants.values()].map((person) => [
        person.identity,
        person.audioLevel,
      ]);
      wire.post('remote-participants-audio-level', { participantsAudioLevel: Object.fromEntries(levels) });
    });
    reply({});
  }),
  'stop-remote-participants-audio-level-observer': inMeeting((_fields, _reply, { meeting }) =>
    meeting.levels.stop('remote'),
  ),
};

/** Turn a device on or off, in the meeting or before it. */
export async function setDevice(
  { call }: Pick<Context, 'call'>,
  kind: DeviceKind,
  on: boolean,
): Promise<void> {
  const { meeting } = call;
  if (meeting !== undefined) await meeting.setDevice(kind, on);
  else if (on) await call.preview.start([kind]);
  else call.preview.turnOff(kind);
}

async function choose({ call }: Context, kind: DeviceKind, id: string | undefined): Promise<void> {
  if (id === undefined) return;
  call.preview.choose(kind, id);
  const { meeting } = call;
  if (meeting === undefined) return;
  try {
    await meeting.room.switchActiveDevice(MEDIA_DEVICE_KIND[kind], id);
  } catch (error) {
    meeting.deviceFailed(kind, error);
  }
}

/** Switch to the next device of a kind and return it; null if there is no other. */
async function cycle(context: Context, kind: DeviceKind): Promise<Fields | null> {
  const choices = (await devices()).filter((device) => device.kind === MEDIA_DEVICE_KIND[kind]);
  const now = choices.findIndex((device) => device.deviceId === idInUse(context, kind));
  const next = choices[(now + 1) % choices.length];
  if (next === undefined || choices.length < 2) return null;
  await choose(context, kind, next.deviceId);
  return plain([next])[0] ?? null;
}

/** The devices in use, or those that would be used. */
export async function inUse(context: Context): Promise<Fields> {
  const all = await devices();
  const named = (kind: MediaDeviceKind, id: string): Fields => {
    const device = all.find((each) => each.kind === kind && each.deviceId === id);
    return device === undefined ? {} : (plain([device])[0] ?? {});
  };
  return {
    camera: named('videoinput', idInUse(context, 'camera')),
    mic: named('audioinput', idInUse(context, 'microphone')),
    speaker: named('audiooutput', context.call.meeting?.room.getActiveDevice('audiooutput') ?? 'default'),
  };
}

function idInUse({ call }: Context, kind: DeviceKind): string {
  const { meeting } = call;
  return meeting === undefined ? call.preview.chosen()[kind] : deviceInUse(meeting.room, kind);
}

function devices(): Promise<MediaDeviceInfo[]> {
  // Without asking for permission, which happens when joining.
  return Room.getLocalDevices(undefined, false).catch(() => []);
}

// `postMessage` cannot transfer the browser's own objects.
function plain(found: readonly MediaDeviceInfo[]): Fields[] {
  return found.map((device) => device.toJSON() as Fields);
}

function intervalOf(value: unknown): number {
  // daily-js refuses less than 100 ms itself; its default is 200.
  return typeof value === 'number' && value >= 100 ? value : 200;
}
