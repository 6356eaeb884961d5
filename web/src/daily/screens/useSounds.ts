import { RoomEvent, type Room } from 'livekit-client';
import { useEffect, useRef } from 'react';

import { isHeard, play } from './sound';

/** Tell by a sound that somebody came in, or knocks. */
export function useSounds(room: Room, ding: boolean | number, waiting: number): void {
  useEffect(() => {
    const listen = (): void => {
      if (isHeard(ding, room.remoteParticipants.size + 1)) play('join');
    };
    room.on(RoomEvent.ParticipantConnected, listen);
    return () => {
      room.off(RoomEvent.ParticipantConnected, listen);
    };
  }, [room, ding]);
  const before = useRef(0);
  useEffect(() => {
    if (waiting > before.current) play('knock');
    before.current = waiting;
  }, [waiting]);
}
