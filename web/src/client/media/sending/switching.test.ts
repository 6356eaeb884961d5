import type { Room } from 'livekit-client';
import { expect, it } from 'vitest';

import { isSwitching, switchDevice } from './switching';

function setUp(answer: () => Promise<void>) {
  const seen: boolean[] = [];
  const set = (): Promise<void> => {
    seen.push(isSwitching(room, 'camera'), isSwitching(room, 'microphone'));
    return answer();
  };
  const room = { localParticipant: { setCameraEnabled: set, setMicrophoneEnabled: set } } as unknown as Room;
  return { room, seen };
}

it('knows which device the page itself switches, until it has', async () => {
  const { room, seen } = setUp(() => Promise.resolve());
  await switchDevice(room, 'microphone', false);
  expect(seen).toEqual([false, true]);
  expect(isSwitching(room, 'microphone')).toBe(false);
});

it('forgets it after a failure, which is passed on', async () => {
  const { room } = setUp(() => Promise.reject(new DOMException('', 'NotFoundError')));
  await expect(switchDevice(room, 'camera', true)).rejects.toThrow(DOMException);
  expect(isSwitching(room, 'camera')).toBe(false);
});
