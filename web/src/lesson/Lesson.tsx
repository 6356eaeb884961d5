import '../styles/room.css';
import '../styles/panels.css';

import { ConnectionState, RoomEvent, type DisconnectReason, type Room } from 'livekit-client';
import { useCallback, useEffect, useRef, useState } from 'react';

import { followChoice, type Choice } from '../client/media/devices/choice';
import type { DeviceKind } from '../client/media/devices/devices';
import { showName, startSending, type Sending } from '../client/media/sending/room';
import { t } from '../client/text/catalogue';
import { publishWords } from '../client/words';
import { RoomScreen, type Features } from '../room/RoomScreen';
import { useFullscreen } from '../room/useFullscreen';
import { FIRST_VIEW, type RoomView } from '../room/view';
import type { Invite } from '../room/wire';
import type { LessonSession } from './session';

interface LessonProps {
  /** Its room is connected. */
  session: LessonSession;
  /** The name that the user joined with. */
  name: string;
  sending: Sending;
  /** Undefined if the user may not invite. */
  invite: Invite | undefined;
  onEnd: (reason: DisconnectReason | undefined, choice: Choice) => void;
  onDevice: (kind: DeviceKind, id: string) => void;
}

const FEATURES: Features = {
  people: true,
  chat: true,
  network: true,
  screenShare: true,
  hands: true,
  hideOwn: false,
  hideOthers: false,
  // In a larger group, somebody comes all the time.
  ding: 10,
  waiting: 0,
};

export function Lesson({ session, name, sending, invite, onEnd, onDevice }: LessonProps) {
  const { room } = session;
  const [notice, setNotice] = useState('');
  const [view, setView] = useState<RoomView>(FIRST_VIEW);
  const fullscreen = useFullscreen();
  useEnd(room, sending, onEnd);
  useSending(room, name, sending, setNotice);
  useEffect(() => {
    session.onNotice(setNotice);
  }, [session]);
  const change = useCallback((part: Partial<RoomView>) => setView((before) => ({ ...before, ...part })), []);
  return (
    <RoomScreen
      wire={session}
      testId="lesson"
      features={FEATURES}
      view={view}
      fullscreen={fullscreen}
      notice={notice}
      invite={invite}
      onView={change}
      onNotice={setNotice}
      onDevice={onDevice}
      onLeave={() => void room.disconnect()}
    />
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
      if (!shown) report(t('problem.name'));
    });
    void startSending(room, sending, (kind, error) => {
      report(publishWords(kind, error, window.isSecureContext));
    });
  }, [room, name, sending, report]);
}

/** Call `onEnd` when the room is disconnected, for whatever reason, with what the user last chose to publish. */
function useEnd(room: Room, sending: Sending, onEnd: LessonProps['onEnd']): void {
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
