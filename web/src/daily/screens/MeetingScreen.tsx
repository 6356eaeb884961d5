import { useCallback } from 'react';

import type { Store } from '../../client/store';
import { RoomScreen } from '../../room/RoomScreen';
import type { Features } from '../../room/view';
import { useFullscreen } from '../../room/useFullscreen';
import { useStore } from '../../ui/hooks/useStore';
import type { Appearance } from '../call/appearance';
import type { MeetingSettings } from '../call/door';
import type { Meeting } from '../call/meeting';
import type { Step } from '../call/step';
import type { Embedder } from '../embedder';
import { Countdown } from './Countdown';
import { Tray } from './Tray';
import { WaitingPeople } from './WaitingPeople';

interface MeetingScreenProps {
  step: Extract<Step<Meeting>, { name: 'meeting' }>;
  appearance: Store<Appearance>;
  embedder: Embedder | undefined;
  onLeave: () => void;
}

/** The meeting: the screen of all rooms, as the room's settings and the embedding page want it. */
export function MeetingScreen({
  step: { settings, meeting },
  appearance,
  embedder,
  onLeave,
}: MeetingScreenProps) {
  const look = useStore(appearance);
  const state = useStore(meeting.state);
  const own = useFullscreen();
  const change = useCallback((part: Partial<Appearance>) => appearance.update(part), [appearance]);
  const notify = useCallback((words: string) => meeting.notify(words), [meeting]);
  // Only the embedding page can make its frame fill the screen; it reports when it has.
  const framed = embedder && {
    on: look.fullscreen,
    toggle: () => embedder.requestFullscreen(!look.fullscreen),
  };
  return (
    <RoomScreen
      wire={meeting.wire}
      testId="meeting"
      className={`meeting names-${look.showNames === false ? 'auto' : look.showNames}`}
      features={featuresOf(settings, look, state.waiting.length)}
      view={look}
      fullscreen={look.showFullscreenButton ? (framed ?? own) : undefined}
      notice={state.notice}
      invite={undefined}
      notices={
        <>
          <Countdown room={meeting.room} />
          <WaitingPeople meeting={meeting} waiting={state.waiting} />
        </>
      }
      tray={<Tray buttons={look.trayButtons} embedder={embedder} />}
      onView={change}
      onNotice={notify}
      onDevice={() => undefined}
      onLeave={look.showLeaveButton ? onLeave : undefined}
    />
  );
}

function featuresOf(settings: MeetingSettings, look: Appearance, waiting: number): Features {
  const { people, chat, network, screenShare, hands } = settings;
  return {
    ...{ people, chat, network, screenShare, hands, waiting },
    hideOwn: !look.showLocalVideo,
    hideOthers: !look.showParticipantsBar,
    ding: look.ding,
  };
}
