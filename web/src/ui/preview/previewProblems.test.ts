import { describe, expect, it } from 'vitest';

import type { PreviewState } from '../../client/media/preview';
import { previewProblems, retryableDevices } from './previewProblems';

const off = { state: 'off' } as const;
const denied = { state: 'failed', problem: 'denied' } as const;
const insecure = { state: 'failed', problem: 'insecure' } as const;

describe('trouble with devices', () => {
  it.each<[string, PreviewState, number, string[]]>([
    ['none', { camera: off, microphone: { state: 'opening' } }, 0, []],
    ['one', { camera: denied, microphone: off }, 1, ['camera']],
    ['both alike', { camera: denied, microphone: denied }, 1, ['camera', 'microphone']],
    ['nothing that an attempt could change', { camera: insecure, microphone: insecure }, 1, []],
    ['two kinds', { camera: denied, microphone: insecure }, 2, ['camera']],
  ])('%s', (_, devices, sentences, again) => {
    expect(previewProblems(devices)).toHaveLength(sentences);
    expect(retryableDevices(devices)).toEqual(again);
  });
});
