/** Turns the user's devices on and off, and distinguishes this from mutes by other people. */
import type { Room } from 'livekit-client';

import type { DeviceKind } from '../devices/devices';

const switching = new WeakMap<Room, Set<DeviceKind>>();

/** Turn a device on or off for the user. Throws what getUserMedia or publishing throws. */
export async function switchDevice(room: Room, kind: DeviceKind, on: boolean): Promise<void> {
  const kinds = switching.get(room) ?? new Set();
  switching.set(room, kinds.add(kind));
  try {
    const me = room.localParticipant;
    await (kind === 'camera' ? me.setCameraEnabled(on) : me.setMicrophoneEnabled(on));
  } finally {
    kinds.delete(kind);
  }
}

/** Whether the page itself is turning a device on or off, so that a mute of it is the user's. */
export function isSwitching(room: Room, kind: DeviceKind): boolean {
  return switching.get(room)?.has(kind) ?? false;
}
