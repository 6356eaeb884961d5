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

/** How somebody left: why, and what they were sending. */
export interface Leaving {
  reason: DisconnectReason | undefined;
  sending: Sending;
}

interface LessonProps {
  /** Connected. */
  room: Room;
  /** The name under which one joined. */
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

/** Show the name and send what was chosen in the lobby, once for each room. */
function useSending(room: Room, name: string, sending: Sending, report: (words: string) => void): void {
  const started = useRef<Room>(undefined);
  useEffect(() => {
    // Effects run twice in development; tracks can be given away only once.
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

/** Tell when the room is left, for whatever reason. */
function useEnd(room: Room, onEnd: (leaving: Leaving) => void): void {
  const latest = useRef(onEnd);
  useEffect(() => {
    latest.current = onEnd;
  }, [onEnd]);
  useEffect(() => {
    // A room unpublishes before it says that it is disconnected: what was sent has to be noted while it lasts.
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
    // It may have ended between joining and now.
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
