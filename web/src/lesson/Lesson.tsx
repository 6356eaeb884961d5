import { RoomAudioRenderer, RoomContext } from '@livekit/components-react';
import { ConnectionState, RoomEvent, type DisconnectReason, type Room } from 'livekit-client';
import { useCallback, useEffect, useRef, useState } from 'react';

import type { DeviceKind } from '../client/media/devices';
import { showName, startSending, type Sending } from '../client/media/room';
import { NAME_REFUSED, publishWords } from '../client/words';
import { Notices } from '../stage/Notices';
import { RoomHeader } from '../stage/RoomHeader';
import { Stage } from '../stage/Stage';
import { Controls } from './Controls';

/** Why the user left, and what they were publishing until then. */
export interface Leaving {
  reason: DisconnectReason | undefined;
  sending: Sending;
}

interface LessonProps {
  /** A connected room. */
  room: Room;
  /** The name that the user joined with. */
  name: string;
  sending: Sending;
  onEnd: (leaving: Leaving) => void;
  onDevice: (kind: DeviceKind, id: string) => void;
}

export function Lesson({ room, name, sending, onEnd, onDevice }: LessonProps) {
  const [notice, setNotice] = useState('');
  useEnd(room, onEnd);
  useSending(room, name, sending, setNotice);
  const clear = useCallback(() => setNotice(''), []);
  return (
    <RoomContext.Provider value={room}>
      <main className="lesson" data-testid="lesson">
        <RoomHeader />
        <Notices notice={notice} onDismiss={clear} />
        <Stage />
        <Controls onNotice={setNotice} onDevice={onDevice} />
      </main>
      <RoomAudioRenderer />
    </RoomContext.Provider>
  );
}

/** Set the name and publish what was chosen in the lobby, once for each room. */
function useSending(room: Room, name: string, sending: Sending, report: (words: string) => void): void {
  const started = useRef<Room>(undefined);
  useEffect(() => {
    // React runs effects twice in development, but tracks can be published only once.
    if (started.current === room) return;
    started.current = room;
    void showName(room, name).then((shown) => {
      if (!shown) report(NAME_REFUSED);
    });
    void startSending(room, sending, (kind, error) => {
      report(publishWords(kind, error, window.isSecureContext));
    });
  }, [room, name, sending, report]);
}

/** Call `onEnd` when the room is disconnected, for whatever reason. */
function useEnd(room: Room, onEnd: (leaving: Leaving) => void): void {
  const latest = useRef(onEnd);
  useEffect(() => {
    latest.current = onEnd;
  }, [onEnd]);
  useEffect(() => {
    // A room unpublishes its tracks before it reports that it is disconnected: note what is published while it lasts.
    let wasSending: Sending = { camera: false, microphone: false };
    const note = (): void => {
      if (room.state !== ConnectionState.Connected) return;
      const { isCameraEnabled, isMicrophoneEnabled } = room.localParticipant;
      wasSending = { camera: isCameraEnabled, microphone: isMicrophoneEnabled };
    };
    const end = (reason?: DisconnectReason): void => {
      latest.current({ reason, sending: wasSending });
    };
    note();
    for (const event of SENDING_EVENTS) room.on(event, note);
    room.on(RoomEvent.Disconnected, end);
    // The room may have been disconnected before this effect ran.
    if (room.state === ConnectionState.Disconnected) end();
    return () => {
      for (const event of SENDING_EVENTS) room.off(event, note);
      room.off(RoomEvent.Disconnected, end);
    };
  }, [room]);
}

const SENDING_EVENTS = [
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
  RoomEvent.TrackMuted,
  RoomEvent.TrackUnmuted,
] as const;
