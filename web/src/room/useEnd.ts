import { ConnectionState, RoomEvent, type DisconnectReason, type Room } from 'livekit-client';
import { useEffect, useRef } from 'react';

import { followChoice, type Choice } from '../client/media/devices/choice';
import type { Sending } from '../client/media/sending/room';

type OnEnd = (reason: DisconnectReason | undefined, choice: Choice) => void;

/** Call `onEnd` when the room is disconnected for any reason, with the user's last choice of devices to publish. */
export function useEnd(room: Room, sending: Sending, onEnd: OnEnd): void {
  const latest = useRef(onEnd);
  const first = useRef<Choice>({
    camera: sending.camera !== false,
    microphone: sending.microphone !== false,
  });
  useEffect(() => {
    latest.current = onEnd;
  }, [onEnd]);
  useEffect(() => {
    const choice = followChoice(room, first.current);
    const end = (reason?: DisconnectReason): void => latest.current(reason, choice());
    room.on(RoomEvent.Disconnected, end);
    // The room may have been disconnected before this effect ran.
    if (room.state === ConnectionState.Disconnected) end();
    return () => {
      room.off(RoomEvent.Disconnected, end);
    };
  }, [room]);
}
