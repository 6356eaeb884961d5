import '../styles/room.css';
import '../styles/panels.css';

import type { DisconnectReason } from 'livekit-client';
import { useCallback, useEffect, useState } from 'react';

import type { Choice } from '../client/media/devices/choice';
import type { DeviceKind } from '../client/media/devices/devices';
import type { Sending } from '../client/media/sending/room';
import { RoomScreen, type Features } from '../room/RoomScreen';
import { useEnd } from '../room/useEnd';
import { useFullscreen } from '../room/useFullscreen';
import { useSending } from '../room/useSending';
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
