/** The laser pointer: lossy data packets from staff to everybody in the room, stored nowhere. */
import { RoomEvent, type RemoteParticipant, type Room } from 'livekit-client';
import { useEffect, useMemo, useState } from 'react';

import { numberOf, fieldsOf } from '../../../client/json';
import { nameOf } from '../../../client/classroom/live/state';
import { isStaff } from '../../../client/classroom/sessions';
import type { Point } from '../../../client/classroom/board/items';
import { useLive } from '../../live/context';

// Only pages know this topic; names that begin with `lectern.` belong to the server.
const TOPIC = 'session-pointer';
// Twenty positions a second look smooth, and are a few kbit/s.
const EVERY_MS = 50;
const SHOWN_MS = 1500;

export interface Pointing extends Point {
  name: string;
}

/** The position of the pointer; undefined while nobody points. */
export function usePointer(): Pointing | undefined {
  const { wire, session } = useLive();
  const [pointing, setPointing] = useState<Pointing>();
  useEffect(() => {
    const { room } = wire;
    let timer: number | undefined;
    const take = (payload: Uint8Array, sender?: RemoteParticipant, _kind?: unknown, topic?: string): void => {
      const state = session.state.snapshot().inside;
      const person = state?.people.present.find(({ id }) => id === sender?.identity);
      if (topic !== TOPIC || state === undefined || person === undefined || !isStaff(person.role)) return;
      const at = readPoint(payload);
      if (at === undefined) return;
      setPointing({ ...at, name: nameOf(state, person.id) });
      window.clearTimeout(timer);
      timer = window.setTimeout(() => setPointing(undefined), SHOWN_MS);
    };
    room.on(RoomEvent.DataReceived, take);
    return () => {
      window.clearTimeout(timer);
      room.off(RoomEvent.DataReceived, take);
    };
  }, [wire, session]);
  return pointing;
}

/** Sends a position; to be called for each movement. */
export function usePointing(): (at: Point) => void {
  const { wire } = useLive();
  return useMemo(() => pointing(wire.room), [wire]);
}

function pointing(room: Room): (at: Point) => void {
  let sentMs = 0;
  return ({ x, y }) => {
    const nowMs = performance.now();
    if (nowMs - sentMs < EVERY_MS) return;
    sentMs = nowMs;
    const payload = new TextEncoder().encode(JSON.stringify({ x: Math.round(x), y: Math.round(y) }));
    // Without a connection, nobody could see it.
    void room.localParticipant.publishData(payload, { reliable: false, topic: TOPIC }).catch(() => undefined);
  };
}

function readPoint(payload: Uint8Array): Point | undefined {
  try {
    const fields = fieldsOf(JSON.parse(new TextDecoder().decode(payload)));
    const [x, y] = [numberOf(fields['x']), numberOf(fields['y'])];
    return x === undefined || y === undefined ? undefined : { x, y };
  } catch {
    return undefined;
  }
}
