import { describe, expect, it } from 'vitest';

import { figuresBetween, judge, readCounters, summary, type NetworkFigures, type StatsEntry } from './stats';

function report(entries: Record<string, StatsEntry>): Iterable<readonly [string, StatsEntry]> {
  return Object.entries(entries);
}

const AT_1 = report({
  in: {
    type: 'inbound-rtp',
    kind: 'video',
    bytesReceived: 1000,
    packetsReceived: 100,
    packetsLost: 0,
    jitter: 0.01,
  },
  out: { type: 'outbound-rtp', kind: 'audio', bytesSent: 500, packetsSent: 50 },
  pair: {
    type: 'candidate-pair',
    nominated: true,
    currentRoundTripTime: 0.05,
    availableOutgoingBitrate: 300_000,
  },
  old: { type: 'candidate-pair', nominated: false, currentRoundTripTime: 9 },
});
const AT_2 = report({
  in: {
    type: 'inbound-rtp',
    kind: 'video',
    bytesReceived: 126_000,
    packetsReceived: 190,
    packetsLost: 10,
    jitter: 0.02,
  },
  out: { type: 'outbound-rtp', kind: 'audio', bytesSent: 8500, packetsSent: 150 },
  back: { type: 'remote-inbound-rtp', kind: 'audio', packetsLost: 5, jitter: 0.03 },
  pair: {
    type: 'candidate-pair',
    nominated: true,
    currentRoundTripTime: 0.06,
    availableOutgoingBitrate: 400_000,
  },
});

function figures(): NetworkFigures {
  return figuresBetween(readCounters([AT_1], 1000), readCounters([AT_2, AT_2], 2000));
}

describe('between', () => {
  it('gives rates, losses and measurements', () => {
    expect(figures()).toMatchObject({
      timestamp: 2000,
      videoRecvBitsPerSecond: 1_000_000,
      recvBitsPerSecond: 1_000_000,
      audioSendBitsPerSecond: 64_000,
      sendBitsPerSecond: 64_000,
      videoRecvPacketLoss: 0.1,
      totalRecvPacketLoss: 0.1,
      audioSendPacketLoss: 0.05,
      networkRoundTripTime: 0.06,
      availableOutgoingBitrate: 400_000,
      videoRecvJitter: 0.02,
      audioSendJitter: 0.03,
    });
  });
  it('gives null where nothing was measured', () => {
    expect(figures()).toMatchObject({
      audioRecvPacketLoss: null,
      videoSendPacketLoss: null,
      audioRecvJitter: null,
    });
    const none = readCounters([], 0);
    expect(figuresBetween(none, none).recvBitsPerSecond).toBeNull();
  });
  it('never gives negative rates when a stream ends', () => {
    const ended = figuresBetween(readCounters([AT_2], 1000), readCounters([], 2000));
    expect(ended).toMatchObject({ recvBitsPerSecond: 0, totalRecvPacketLoss: null });
  });
});

describe('judge', () => {
  const good: NetworkFigures = {
    ...figures(),
    totalRecvPacketLoss: 0,
    totalSendPacketLoss: 0,
    networkRoundTripTime: 0.03,
  };
  it.each([
    ['a good network', {}, 'good', []],
    ['some loss', { totalRecvPacketLoss: 0.06 }, 'warning', ['recvPacketLoss']],
    ['much loss', { totalSendPacketLoss: 0.2 }, 'bad', ['sendPacketLoss']],
    ['a long round trip', { networkRoundTripTime: 0.5 }, 'warning', ['roundTripTime']],
    ['little outgoing bandwidth', { availableOutgoingBitrate: 50_000 }, 'bad', ['availableOutgoingBitrate']],
    ['nothing measured', { totalRecvPacketLoss: null, networkRoundTripTime: null }, 'good', []],
  ] as const)('%s', (_, change, state, reasons) => {
    expect(judge([{ ...good, ...change }])).toEqual({ state, reasons });
  });
  it('averages over the window', () => {
    expect(judge([{ ...good, totalRecvPacketLoss: 0.06 }, good]).state).toBe('good');
  });
  it('is unknown without figures', () => {
    expect(judge([]).state).toBe('unknown');
  });
});

describe('summary', () => {
  it('adds the worst and the average of the window', () => {
    const first = figures();
    const second = { ...first, videoRecvPacketLoss: 0.3, networkRoundTripTime: 0.02 };
    expect(summary([first, second])).toMatchObject({
      latest: second,
      worstVideoRecvPacketLoss: 0.3,
      worstAudioRecvPacketLoss: 0,
      averageNetworkRoundTripTime: 0.04,
    });
  });
  it('is empty without figures', () => {
    expect(summary([])).toEqual({ latest: {} });
  });
});
