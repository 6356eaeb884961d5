import { describe, expect, it } from 'vitest';

import { deviceWords, publishWords, screenWords } from './words';

describe('deviceWords', () => {
  it('says nothing when both devices work', () => {
    expect(deviceWords({})).toEqual([]);
  });
  it.each([
    [{ camera: 'denied' }, ['your camera']],
    [{ microphone: 'missing' }, ['No microphone']],
    [{ camera: 'denied', microphone: 'denied' }, ['your camera and microphone']],
    [{ camera: 'missing', microphone: 'missing' }, ['No camera or microphone']],
    [{ camera: 'busy', microphone: 'missing' }, ['Your camera', 'No microphone']],
    [{ camera: 'busy', microphone: 'busy' }, ['Your camera', 'Your microphone']],
  ] as const)('%j', (problems, starts) => {
    const words = deviceWords(problems);
    expect(words).toHaveLength(starts.length);
    words.forEach((text, index) => {
      expect(text).toContain(starts[index]);
    });
  });
});

describe('publishWords', () => {
  it.each([
    ['the device', new DOMException('', 'NotReadableError'), true, 'another program'],
    ['an insecure page', new TypeError('mediaDevices is undefined'), false, 'https'],
    ['the connection', new Error('publishing timed out'), true, 'connection'],
  ])('blames %s', (_, error, secure, expected) => {
    expect(publishWords('camera', error, secure)).toContain(expected);
  });
});

describe('screenWords', () => {
  it('says nothing when the person closes the picker', () => {
    expect(screenWords(new DOMException('Permission denied', 'NotAllowedError'))).toBeUndefined();
  });
  it.each([
    [new DOMException('Permission denied by system', 'NotAllowedError'), 'system settings'],
    [new DOMException('', 'NotReadableError'), 'could not be shared'],
  ])('says what to do', (error, expected) => {
    expect(screenWords(error)).toContain(expected);
  });
});
