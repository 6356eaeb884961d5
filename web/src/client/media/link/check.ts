/** Tests a connection before the lesson: connects to a separate room, sends a moving picture, and judges the measurements. */
import { ConnectionError, ConnectionErrorReason, Room, Track } from 'livekit-client';

import type { Access } from '../../server/server';

export type CheckVerdict = 'good' | 'fair' | 'weak' | 'relayed' | 'blocked' | 'unreachable';

/** What was measured; undefined if it could not be. */
export interface CheckFigures {
  upKbps: number;
  roundTripMs: number;
  lossPercent: number;
  /** Media takes a detour: over TCP or a relay. */
  detour: boolean;
}

export interface CheckResult {
  verdict: CheckVerdict;
  figures: CheckFigures | undefined;
}

// Sound needs 40 kbit/s, sound and a small camera 250. ITU-T G.114: conversation suffers from 150 ms one way.
const GOOD = { upKbps: 600, roundTripMs: 250, lossPercent: 2 };
const FAIR = { upKbps: 200, roundTripMs: 500, lossPercent: 8 };

/** Judge what was measured. */
export function judgeCheck(figures: CheckFigures): CheckVerdict {
  if (!within(figures, FAIR)) return 'weak';
  if (figures.detour) return 'relayed';
  return within(figures, GOOD) ? 'good' : 'fair';
}

function within({ upKbps, roundTripMs, lossPercent }: CheckFigures, limits: typeof GOOD): boolean {
  return upKbps >= limits.upKbps && roundTripMs <= limits.roundTripMs && lossPercent <= limits.lossPercent;
}

type Entry = Readonly<Record<string, unknown>>;

/** Read the values from a sender's report (W3C webrtc-stats); undefined while nothing is connected. */
export function readCheck(report: Iterable<readonly [string, Entry]>): CheckFigures | undefined {
  const entries = new Map(report);
  const all = [...entries.values()];
  const pair = all.find(({ type, nominated }) => type === 'candidate-pair' && nominated === true);
  if (pair === undefined) return undefined;
  const local = entries.get(String(pair['localCandidateId']));
  const lost = all
    .filter(({ type }) => type === 'remote-inbound-rtp')
    .map((each) => number(each['fractionLost']));
  return {
    upKbps: Math.round(number(pair['availableOutgoingBitrate']) / 1000),
    roundTripMs: Math.round(number(pair['currentRoundTripTime']) * 1000),
    lossPercent: Math.round(Math.max(0, ...lost) * 100),
    detour: local?.['candidateType'] === 'relay' || local?.['protocol'] === 'tcp',
  };
}

// Congestion control needs about this long to estimate a link's capacity.
const MEASURE_MS = 4000;
const FRAME_MS = 66;

/** Test the connection with a token for a separate room. */
export async function checkConnection(access: Access, url: string): Promise<CheckResult> {
  const room = new Room();
  const picture = movingPicture();
  try {
    await room.connect(access.url === '' ? url : access.url, access.token);
    await room.localParticipant.publishTrack(picture.track, {
      source: Track.Source.Camera,
      simulcast: false,
      videoEncoding: { maxBitrate: 1_500_000, maxFramerate: 15 },
    });
    await new Promise((resolve) => setTimeout(resolve, MEASURE_MS));
    const sent = room.localParticipant.getTrackPublication(Track.Source.Camera)?.track;
    const report = (await sent?.getRTCStatsReport()) as Iterable<readonly [string, Entry]> | undefined;
    const figures = report === undefined ? undefined : readCheck(report);
    return figures === undefined
      ? { verdict: 'blocked', figures }
      : { verdict: judgeCheck(figures), figures };
  } catch (error) {
    return { verdict: failureOf(error), figures: undefined };
  } finally {
    picture.stop();
    await room.disconnect();
  }
}

function failureOf(error: unknown): CheckVerdict {
  const reached =
    !(error instanceof ConnectionError) ||
    (error.reason !== ConnectionErrorReason.ServerUnreachable &&
      error.reason !== ConnectionErrorReason.WebSocket);
  return reached ? 'blocked' : 'unreachable';
}

/** A picture of noise: nothing is harder to encode, so the encoder uses its whole bitrate. */
function movingPicture(): { track: MediaStreamTrack; stop: () => void } {
  const canvas = new OffscreenCanvas(160, 90);
  const shown = globalThis.document.createElement('canvas');
  [shown.width, shown.height] = [640, 360];
  const noise = canvas.getContext('2d');
  const drawing = shown.getContext('2d');
  const timer = setInterval(() => {
    const image = new ImageData(160, 90);
    for (let index = 0; index < image.data.length; index += 1) image.data[index] = Math.random() * 256;
    noise?.putImageData(image, 0, 0);
    drawing?.drawImage(canvas, 0, 0, 640, 360);
  }, FRAME_MS);
  const [track] = shown.captureStream(15).getVideoTracks();
  if (track === undefined) throw new Error('the canvas gives no track');
  return {
    track,
    stop: () => {
      clearInterval(timer);
      track.stop();
    },
  };
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
