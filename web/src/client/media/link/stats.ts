/** The network statistics of daily-js, computed from two readings of the browser's statistics (W3C webrtc-stats). */
export type NetworkState = 'good' | 'warning' | 'bad' | 'unknown';

type Kind = 'audio' | 'video';

/** Counters since the start, summed over all streams, and current measurements. */
export interface Counters {
  atMs: number;
  bytesReceived: Readonly<Record<Kind, number>>;
  bytesSent: Readonly<Record<Kind, number>>;
  packetsReceived: Readonly<Record<Kind, number>>;
  packetsSent: Readonly<Record<Kind, number>>;
  receivedLost: Readonly<Record<Kind, number>>;
  sentLost: Readonly<Record<Kind, number>>;
  /** Of the worst stream, in seconds; null without a stream. */
  receivedJitterS: Readonly<Record<Kind, number | null>>;
  sentJitterS: Readonly<Record<Kind, number | null>>;
  roundTripS: number | null;
  availableOutgoingBps: number | null;
}

/** Values for the time between two readings; null if unknown. Losses are fractions from 0 to 1. */
export interface NetworkFigures {
  timestamp: number;
  recvBitsPerSecond: number | null;
  sendBitsPerSecond: number | null;
  availableOutgoingBitrate: number | null;
  networkRoundTripTime: number | null;
  videoRecvBitsPerSecond: number | null;
  videoSendBitsPerSecond: number | null;
  audioRecvBitsPerSecond: number | null;
  audioSendBitsPerSecond: number | null;
  videoRecvPacketLoss: number | null;
  videoSendPacketLoss: number | null;
  audioRecvPacketLoss: number | null;
  audioSendPacketLoss: number | null;
  totalRecvPacketLoss: number | null;
  totalSendPacketLoss: number | null;
  videoRecvJitter: number | null;
  videoSendJitter: number | null;
  audioRecvJitter: number | null;
  audioSendJitter: number | null;
}

/** One entry of a report, of any type. */
export type StatsEntry = Readonly<Record<string, unknown>>;

/** Sum up reports; an entry that is part of several reports counts once. */
export function readCounters(
  reports: readonly Iterable<readonly [string, StatsEntry]>[],
  atMs: number,
): Counters {
  const entries = [...new Map(reports.flatMap((report) => [...report])).values()];
  const of = (type: string, kind: Kind): StatsEntry[] =>
    entries.filter((entry) => entry['type'] === type && entry['kind'] === kind);
  const both = <T>(measure: (kind: Kind) => T): Record<Kind, T> => ({
    audio: measure('audio'),
    video: measure('video'),
  });
  const total = (type: string, field: string): Record<Kind, number> =>
    both((kind) => of(type, kind).reduce((sum, entry) => sum + (number(entry[field]) ?? 0), 0));
  const worst = (type: string, field: string): Record<Kind, number | null> =>
    both((kind) => largest(of(type, kind).map((entry) => number(entry[field]))));
  const pairs = entries.filter((entry) => entry['type'] === 'candidate-pair' && entry['nominated'] === true);
  return {
    atMs,
    bytesReceived: total('inbound-rtp', 'bytesReceived'),
    bytesSent: total('outbound-rtp', 'bytesSent'),
    packetsReceived: total('inbound-rtp', 'packetsReceived'),
    packetsSent: total('outbound-rtp', 'packetsSent'),
    receivedLost: total('inbound-rtp', 'packetsLost'),
    sentLost: total('remote-inbound-rtp', 'packetsLost'),
    receivedJitterS: worst('inbound-rtp', 'jitter'),
    sentJitterS: worst('remote-inbound-rtp', 'jitter'),
    roundTripS: largest(pairs.map((pair) => number(pair['currentRoundTripTime']))),
    availableOutgoingBps: largest(pairs.map((pair) => number(pair['availableOutgoingBitrate']))),
  };
}

/** Compute the values for the time between two readings. */
export function figuresBetween(before: Counters, now: Counters): NetworkFigures {
  const seconds = (now.atMs - before.atMs) / 1000;
  const rate = (field: 'bytesReceived' | 'bytesSent', kind: Kind): number | null =>
    // The counters of a stream disappear when it ends.
    seconds > 0 ? Math.max(0, ((now[field][kind] - before[field][kind]) * 8) / seconds) : null;
  const received = (kind: Kind): Counts => ({
    lost: now.receivedLost[kind] - before.receivedLost[kind],
    whole:
      now.receivedLost[kind] +
      now.packetsReceived[kind] -
      before.receivedLost[kind] -
      before.packetsReceived[kind],
  });
  const sent = (kind: Kind): Counts => ({
    lost: now.sentLost[kind] - before.sentLost[kind],
    whole: now.packetsSent[kind] - before.packetsSent[kind],
  });
  return {
    timestamp: now.atMs,
    recvBitsPerSecond: plus(rate('bytesReceived', 'audio'), rate('bytesReceived', 'video')),
    sendBitsPerSecond: plus(rate('bytesSent', 'audio'), rate('bytesSent', 'video')),
    availableOutgoingBitrate: now.availableOutgoingBps,
    networkRoundTripTime: now.roundTripS,
    videoRecvBitsPerSecond: rate('bytesReceived', 'video'),
    videoSendBitsPerSecond: rate('bytesSent', 'video'),
    audioRecvBitsPerSecond: rate('bytesReceived', 'audio'),
    audioSendBitsPerSecond: rate('bytesSent', 'audio'),
    videoRecvPacketLoss: share(received('video')),
    videoSendPacketLoss: share(sent('video')),
    audioRecvPacketLoss: share(received('audio')),
    audioSendPacketLoss: share(sent('audio')),
    totalRecvPacketLoss: share(received('audio'), received('video')),
    totalSendPacketLoss: share(sent('audio'), sent('video')),
    videoRecvJitter: now.receivedJitterS.video,
    videoSendJitter: now.sentJitterS.video,
    audioRecvJitter: now.receivedJitterS.audio,
    audioSendJitter: now.sentJitterS.audio,
  };
}

/** How good the network is, and why it is not better. */
export interface Verdict {
  state: NetworkState;
  reasons: ('sendPacketLoss' | 'recvPacketLoss' | 'roundTripTime' | 'availableOutgoingBitrate')[];
}

// Our own limits: retransmission hides losses of up to about 5 %, and video freezes above 15 %. ITU-T G.114 calls a
// one-way delay of 400 ms unacceptable, and a conversation suffers from half of it. Audio and a small video need
// 150 kbit/s.
const LOSS = { warning: 0.05, bad: 0.15 };
const ROUND_TRIP_S = { warning: 0.4, bad: 0.8 };
const OUTGOING_BPS = { warning: 150_000, bad: 60_000 };

/** Judge the network by the average of the latest values. */
export function judge(window: readonly NetworkFigures[]): Verdict {
  if (window.length === 0) return { state: 'unknown', reasons: [] };
  const measures = [
    ['sendPacketLoss', average(window, 'totalSendPacketLoss'), LOSS, 1],
    ['recvPacketLoss', average(window, 'totalRecvPacketLoss'), LOSS, 1],
    ['roundTripTime', average(window, 'networkRoundTripTime'), ROUND_TRIP_S, 1],
    // Less is worse.
    ['availableOutgoingBitrate', average(window, 'availableOutgoingBitrate'), OUTGOING_BPS, -1],
  ] as const;
  const past = (level: 'warning' | 'bad'): Verdict['reasons'] =>
    measures
      .filter(([, value, limits, sign]) => value !== null && sign * value > sign * limits[level])
      .map(([name]) => name);
  const bad = past('bad');
  if (bad.length > 0) return { state: 'bad', reasons: bad };
  const warning = past('warning');
  return warning.length > 0 ? { state: 'warning', reasons: warning } : { state: 'good', reasons: [] };
}

const WORST = {
  worstVideoRecvPacketLoss: 'videoRecvPacketLoss',
  worstVideoSendPacketLoss: 'videoSendPacketLoss',
  worstAudioRecvPacketLoss: 'audioRecvPacketLoss',
  worstAudioSendPacketLoss: 'audioSendPacketLoss',
  worstVideoRecvJitter: 'videoRecvJitter',
  worstVideoSendJitter: 'videoSendJitter',
  worstAudioRecvJitter: 'audioRecvJitter',
  worstAudioSendJitter: 'audioSendJitter',
} as const;

/** The latest values with the worst and average ones of the window, as `getNetworkStats` returns them. */
export function summary(window: readonly NetworkFigures[]): Record<string, unknown> {
  const latest = window.at(-1);
  if (latest === undefined) return { latest: {} };
  const worst = Object.entries(WORST).map(([name, field]) => [
    name,
    largest(window.map((figures) => figures[field])) ?? 0,
  ]);
  return {
    latest,
    ...(Object.fromEntries(worst) as Record<string, number>),
    averageNetworkRoundTripTime: average(window, 'networkRoundTripTime') ?? 0,
  };
}

interface Counts {
  lost: number;
  whole: number;
}

function share(...counts: Counts[]): number | null {
  const whole = counts.reduce((sum, each) => sum + each.whole, 0);
  const lost = counts.reduce((sum, each) => sum + each.lost, 0);
  return whole > 0 ? Math.min(1, Math.max(0, lost / whole)) : null;
}

function plus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

function average(window: readonly NetworkFigures[], field: keyof NetworkFigures): number | null {
  const values = window.map((figures): number | null => figures[field]).filter((value) => value !== null);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function largest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
