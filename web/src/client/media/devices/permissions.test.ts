import { Track } from 'livekit-client';
import { describe, expect, it } from 'vitest';

import { mayPublish, type Permission } from './permissions';

const { Camera, Microphone, ScreenShare, Unknown } = Track.Source;

describe('mayPublish', () => {
  it.each<[string, Permission | undefined, Track.Source, boolean]>([
    ['no permission yet', undefined, Camera, false],
    ['publishing is not allowed', { canPublish: false, canPublishSources: [] }, Camera, false],
    [
      'publishing is not allowed, in spite of a list',
      { canPublish: false, canPublishSources: [1] },
      Camera,
      false,
    ],
    ['all sources are allowed', { canPublish: true, canPublishSources: [] }, ScreenShare, true],
    ['only the microphone is allowed', { canPublish: true, canPublishSources: [2] }, Microphone, true],
    [
      'only the microphone is allowed, so no camera',
      { canPublish: true, canPublishSources: [2] },
      Camera,
      false,
    ],
    ['camera and screen are allowed', { canPublish: true, canPublishSources: [1, 3] }, ScreenShare, true],
    ['an unknown source', { canPublish: true, canPublishSources: [] }, Unknown, false],
  ])('%s', (_, permission, source, expected) => {
    expect(mayPublish(permission, source)).toBe(expected);
  });
});
