import { describe, expect, it } from 'vitest';

import { judgeCheck, readCheck, type CheckFigures } from './check';

const FINE: CheckFigures = { upKbps: 2000, roundTripMs: 40, lossPercent: 0, detour: false };

describe('judgeCheck', () => {
  it.each<[Partial<CheckFigures>, string]>([
    [{}, 'good'],
    [{ upKbps: 500 }, 'fair'],
    [{ roundTripMs: 300 }, 'fair'],
    [{ lossPercent: 4 }, 'fair'],
    [{ upKbps: 150 }, 'weak'],
    [{ roundTripMs: 900 }, 'weak'],
    [{ lossPercent: 12 }, 'weak'],
    [{ detour: true }, 'relayed'],
    [{ detour: true, upKbps: 100 }, 'weak'],
  ])('%j: %s', (change, verdict) => {
    expect(judgeCheck({ ...FINE, ...change })).toBe(verdict);
  });
});

describe('readCheck', () => {
  const pair = {
    type: 'candidate-pair',
    nominated: true,
    localCandidateId: 'l',
    availableOutgoingBitrate: 1_234_000,
    currentRoundTripTime: 0.051,
  };
  it('reads the nominated pair and the worst loss', () => {
    const report = new Map<string, Record<string, unknown>>([
      ['p', pair],
      ['q', { ...pair, nominated: false, currentRoundTripTime: 9 }],
      ['l', { type: 'local-candidate', candidateType: 'host', protocol: 'udp' }],
      ['r', { type: 'remote-inbound-rtp', fractionLost: 0.04 }],
    ]);
    expect(readCheck(report)).toEqual({ upKbps: 1234, roundTripMs: 51, lossPercent: 4, detour: false });
  });
  it.each([
    [{ candidateType: 'relay', protocol: 'udp' }, true],
    [{ candidateType: 'host', protocol: 'tcp' }, true],
    [{ candidateType: 'srflx', protocol: 'udp' }, false],
  ])('%j is a detour: %j', (candidate, detour) => {
    expect(
      readCheck(
        new Map<string, Record<string, unknown>>([
          ['p', pair],
          ['l', candidate],
        ]),
      )?.detour,
    ).toBe(detour);
  });
  it('finds nothing while nothing is connected', () => {
    expect(readCheck(new Map())).toBeUndefined();
  });
});
