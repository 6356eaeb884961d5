import '../styles/room.css';
import '../styles/panels.css';

import { useCallback, useEffect, useState } from 'react';

import { endingWords, type Ending } from '../client/joining';
import type { Choice } from '../client/media/devices/choice';
import type { DeviceKind } from '../client/media/devices/devices';
import type { Sending } from '../client/media/sending/room';
import { RoomScreen } from '../room/RoomScreen';
import { useEnd } from '../room/useEnd';
import { useFullscreen } from '../room/useFullscreen';
import { useSending } from '../room/useSending';
import { ALL_FEATURES, FIRST_VIEW, type RoomView } from '../room/view';
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
  onEnd: (ending: Ending, choice: Choice) => void;
  onDevice: (kind: DeviceKind, id: string) => void;
}

export function Lesson({ session, name, sending, invite, onEnd, onDevice }: LessonProps) {
  const { room } = session;
  const [notice, setNotice] = useState('');
  const [view, setView] = useState<RoomView>(FIRST_VIEW);
  const fullscreen = useFullscreen();
  useEnd(room, sending, (reason, choice) => onEnd(endingWords(reason), choice));
  useSending(room, name, sending, setNotice);
  useEffect(() => {
    session.onNotice(setNotice);
  }, [session]);
  const change = useCallback((part: Partial<RoomView>) => setView((before) => ({ ...before, ...part })), []);
  return (
    <RoomScreen
      wire={session}
      testId="lesson"
      features={ALL_FEATURES}
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
