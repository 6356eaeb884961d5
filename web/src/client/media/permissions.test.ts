import { Track } from 'livekit-client';
import { describe, expect, it } from 'vitest';

import { mayPublish, type Permission } from './permissions';

const { Camera, Microphone, ScreenShare, Unknown } = Track.Source;

describe('mayPublish', () => {
  it.each<[string, Permission | undefined, Track.Source, boolean]>([
    ['nothing is known yet', undefined, Camera, false],
    ['nothing may be sent', { canPublish: false, canPublishSources: [] }, Camera, false],
    ['not even what is named', { canPublish: false, canPublishSources: [1] }, Camera, false],
    ['everything', { canPublish: true, canPublishSources: [] }, ScreenShare, true],
    ['the microphone alone', { canPublish: true, canPublishSources: [2] }, Microphone, true],
    ['the microphone alone, so no camera', { canPublish: true, canPublishSources: [2] }, Camera, false],
    ['camera and screen', { canPublish: true, canPublishSources: [1, 3] }, ScreenShare, true],
    ['a source that has no button', { canPublish: true, canPublishSources: [] }, Unknown, false],
  ])('%s', (_, permission, source, expected) => {
    expect(mayPublish(permission, source)).toBe(expected);
  });
});
