import { RemoteVideoTrack, RoomEvent, type Room } from 'livekit-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { pauseUnseen } from './unseen';

function video(elements: HTMLMediaElement[]) {
  const element = {} as HTMLMediaElement;
  const track = Object.create(RemoteVideoTrack.prototype) as RemoteVideoTrack;
  const attach = vi.fn(() => element);
  const detach = vi.fn();
  Object.assign(track, { attachedElements: elements, attach, detach });
  return { track, attach, detach, element };
}

describe('a video', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());
  const subscribe = (...tracks: object[]): void => {
    let emit: (track: object) => void = () => undefined;
    const room = {
      on: (event: RoomEvent, listener: (track: object) => void) => {
        if (event === RoomEvent.TrackSubscribed) emit = listener;
      },
    };
    pauseUnseen(room as unknown as Room);
    tracks.forEach((track) => emit(track));
    vi.runAllTimers();
  };
  it('that no tile took is paused', () => {
    const { track, detach, element } = video([]);
    subscribe(track);
    expect(detach).toHaveBeenCalledExactlyOnceWith(element);
  });
  it('that a tile shows is left alone, and so is sound', () => {
    const shown = video([{} as HTMLMediaElement]);
    subscribe(shown.track, { kind: 'audio' });
    expect(shown.attach).not.toHaveBeenCalled();
  });
});
