/** Requests about what is published: the screen, qualities, and statistics. */
import { Track, VideoQuality, type LocalVideoTrack } from 'livekit-client';

import { fieldsOf, isFields } from '../../../client/json';
import { capBitrate } from '../../../client/media/sending/cap';
import { SCREEN_CAPTURE } from '../../../client/media/sending/room';
import { screenWords } from '../../../client/words';
import type { Meeting } from '../../call/meeting';
import { inMeeting, type Action } from './context';

export const SENDING_ACTIONS: Readonly<Record<string, Action>> = {
  'local-screen-start': inMeeting(async (_fields, _reply, { meeting, wire }) => {
    try {
      await meeting.room.localParticipant.setScreenShareEnabled(true, SCREEN_CAPTURE);
    } catch (error) {
      const words = screenWords(error);
      if (words === undefined) {
        wire.post('local-screen-share-canceled');
        return;
      }
      // Browsers open their picker only after a click in the frame itself.
      const pressed = error instanceof Error && error.name === 'InvalidStateError';
      meeting.notify(pressed ? 'Press the button below to share your screen.' : words);
      wire.post('nonfatal-error', { type: 'screen-share-error', errorMsg: words, details: {} });
    }
  }),
  'local-screen-stop': inMeeting((_fields, _reply, { meeting }) =>
    meeting.room.localParticipant.setScreenShareEnabled(false),
  ),
  'local-screen-update': () => undefined,
  'set-bandwidth': inMeeting(({ kbs }, _reply, { meeting }) => {
    const limit = typeof kbs === 'number' ? kbs * 1000 : undefined;
    return capBitrate(camera(meeting)?.sender, 'application', limit);
  }),
  'update-send-settings': inMeeting(({ sendSettings }, reply, { meeting, wire }) => {
    const settings = fieldsOf(sendSettings);
    const quality = qualityOf(settings['video']);
    if (quality !== undefined) camera(meeting)?.setPublishingQuality(quality);
    meeting.sendSettings = { ...meeting.sendSettings, ...settings };
    reply({ sendSettings: meeting.sendSettings });
    wire.post('send-settings-updated', { sendSettings: meeting.sendSettings });
  }),
  'get-calc-stats': inMeeting((_fields, reply, { meeting }) => reply({ stats: meeting.network.figures() })),
  'get-cpu-load-stats': inMeeting((_fields, reply, { meeting }) => {
    const reason = meeting.cpuConstrained ? 'encode' : 'none';
    reply({
      cpuStats: {
        cpuLoadState: meeting.cpuConstrained ? 'high' : 'low',
        cpuLoadStateReason: reason,
        stats: { latest: { timestamp: Date.now() } },
      },
    });
  }),
  'get-network-topology': (_fields, reply) => reply({ topology: 'sfu' }),
  'set-network-topology': ({ opts }, reply) => {
    const topology = fieldsOf(opts)['topology'];
    reply(topology === 'sfu' ? { workerId: '' } : { error: 'this server supports the topology sfu only' });
  },
};

function camera({ room }: Meeting): LocalVideoTrack | undefined {
  return room.localParticipant.getTrackPublication(Track.Source.Camera)?.videoTrack;
}

const PRESETS: Readonly<Record<string, VideoQuality>> = {
  'default-video': VideoQuality.HIGH,
  'quality-optimized': VideoQuality.HIGH,
  'bandwidth-and-quality-balanced': VideoQuality.HIGH,
  'adaptive-3-layers': VideoQuality.HIGH,
  'adaptive-2-layers': VideoQuality.MEDIUM,
  'bandwidth-optimized': VideoQuality.MEDIUM,
  high: VideoQuality.HIGH,
  medium: VideoQuality.MEDIUM,
  low: VideoQuality.LOW,
};

/** The best layer that a send setting of daily-js allows. It is the name of a preset, or `{maxQuality}`. */
export function qualityOf(setting: unknown): VideoQuality | undefined {
  const name = isFields(setting) ? setting['maxQuality'] : setting;
  return typeof name === 'string' ? PRESETS[name] : undefined;
}
