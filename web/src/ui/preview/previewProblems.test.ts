import { describe, expect, it } from 'vitest';

import type { PreviewState } from '../../client/media/devices/preview';
import { previewProblems, retryableDevices } from './previewProblems';

const off = { state: 'off' } as const;
const denied = { state: 'failed', problem: 'denied' } as const;
const insecure = { state: 'failed', problem: 'insecure' } as const;

describe('problems with devices', () => {
  it.each<[string, PreviewState, number, string[]]>([
    ['none', { camera: off, microphone: { state: 'opening' } }, 0, []],
    ['one', { camera: denied, microphone: off }, 1, ['camera']],
    ['the same one twice', { camera: denied, microphone: denied }, 1, ['camera', 'microphone']],
    ['one that no attempt changes', { camera: insecure, microphone: insecure }, 1, []],
    ['two kinds', { camera: denied, microphone: insecure }, 2, ['camera']],
  ])('%s', (_, devices, sentences, again) => {
    expect(previewProblems(devices)).toHaveLength(sentences);
    expect(retryableDevices(devices)).toEqual(again);
  });
});
