import { describe, expect, it, vi } from 'vitest';

import { Blur, canBlur } from './blur';

function camera(modes: boolean[] | undefined) {
  return {
    getCapabilities: () => ({ ...(modes !== undefined && { backgroundBlur: modes }) }),
    getConstraints: () => ({ width: 1280 }),
    applyConstraints: vi.fn(() => Promise.resolve()),
  };
}

/** A LiveKit track whose device the test replaces. */
function tracked(first: ReturnType<typeof camera>) {
  let restarted: () => void = () => undefined;
  const track = {
    mediaStreamTrack: first as unknown as MediaStreamTrack,
    on: vi.fn((_: string, listener: () => void) => {
      restarted = listener;
    }),
  };
  const restart = (next: ReturnType<typeof camera>): void => {
    track.mediaStreamTrack = next as unknown as MediaStreamTrack;
    restarted();
  };
  return { track: track as unknown as Parameters<Blur['follow']>[0], restart, listen: track.on };
}

describe('canBlur', () => {
  it.each<[string, boolean[] | undefined, boolean]>([
    ['a camera that can', [false, true], true],
    ['a camera that cannot', [false], false],
    ['a system that always blurs', [true], false],
    ['a browser without blur', undefined, false],
  ])('%s', (_, modes, expected) => {
    expect(canBlur(camera(modes))).toBe(expected);
  });
  it('is false in a browser without capabilities', () => {
    const { getConstraints, applyConstraints } = camera([]);
    expect(canBlur({ getConstraints, applyConstraints } as unknown as MediaStreamTrack)).toBe(false);
  });
});

describe('Blur', () => {
  it('touches no camera before it is chosen', () => {
    const blur = new Blur(false, () => undefined);
    const device = camera([false, true]);
    blur.follow(tracked(device).track);
    expect(device.applyConstraints).not.toHaveBeenCalled();
    expect(blur.state.snapshot()).toEqual({ on: false, possible: true });
  });
  it('survives a restart of the camera and another camera, and keeps the other constraints', async () => {
    const saved: boolean[] = [];
    const blur = new Blur(false, (on) => saved.push(on));
    const [first, second, third] = [camera([false, true]), camera([false, true]), camera([false, true])];
    const { track, restart, listen } = tracked(first);
    blur.follow(track);
    await blur.set(true);
    restart(second);
    blur.follow(track);
    expect(listen).toHaveBeenCalledTimes(1);
    blur.follow(tracked(third).track);
    for (const { applyConstraints } of [first, second, third]) {
      expect(applyConstraints).toHaveBeenLastCalledWith({ width: 1280, backgroundBlur: true });
    }
    await blur.set(false);
    expect(third.applyConstraints).toHaveBeenLastCalledWith({ width: 1280, backgroundBlur: false });
    expect(saved).toEqual([true, false]);
  });
  it('says when the camera after a switch cannot', async () => {
    const blur = new Blur(true, () => undefined);
    const { track, restart } = tracked(camera([false, true]));
    const other = camera([false]);
    blur.follow(track);
    restart(other);
    await blur.set(true);
    expect(blur.state.snapshot()).toEqual({ on: true, possible: false });
    expect(other.applyConstraints).not.toHaveBeenCalled();
  });
  it('takes a refusal for none', async () => {
    const blur = new Blur(false, () => undefined);
    const device = camera([false, true]);
    device.applyConstraints.mockRejectedValue(new Error('ended'));
    blur.follow(tracked(device).track);
    await expect(blur.set(true)).resolves.toBeUndefined();
  });
});
