import { RoomAudioRenderer, RoomContext, useSpeakingParticipants } from '@livekit/components-react';
import { useCallback, useEffect, useState } from 'react';

import type { Store } from '../../client/store';
import { Notices } from '../../stage/Notices';
import { RoomHeader } from '../../stage/RoomHeader';
import { Stage } from '../../stage/Stage';
import { useStore } from '../../ui/useStore';
import type { Appearance } from '../call/appearance';
import type { Meeting } from '../call/meeting';
import type { Step } from '../call/step';
import type { Embedder } from '../embedder';
import { ChatPanel } from './ChatPanel';
import { Countdown } from './Countdown';
import { MeetingControls } from './MeetingControls';
import { NetworkPanel } from './NetworkPanel';
import { PeoplePanel } from './PeoplePanel';
import { useSounds } from './useSounds';
import { WaitingPeople } from './WaitingPeople';

interface MeetingScreenProps {
  step: Extract<Step<Meeting>, { name: 'meeting' }>;
  appearance: Store<Appearance>;
  embedder: Embedder | undefined;
  onLeave: () => void;
}

/** The meeting: tiles, panels and buttons. */
export function MeetingScreen({
  step: { settings, meeting },
  appearance,
  embedder,
  onLeave,
}: MeetingScreenProps) {
  const look = useStore(appearance);
  const state = useStore(meeting.state);
  const show = useCallback((sidebar: Appearance['sidebar']) => appearance.update({ sidebar }), [appearance]);
  const notify = useCallback((words: string) => meeting.notify(words), [meeting]);
  const { sidebar } = look;
  useEffect(() => {
    meeting.setChatOpen(sidebar === 'chat');
  }, [meeting, sidebar]);
  useSounds(meeting.room, look.ding, state.waiting.length);
  const close = useCallback(() => show(null), [show]);
  return (
    <RoomContext.Provider value={meeting.room}>
      <main
        className={`lesson meeting names-${look.showNames === false ? 'auto' : look.showNames}`}
        data-testid="meeting"
      >
        <RoomHeader />
        <Countdown room={meeting.room} />
        <Notices notice={state.notice} onDismiss={() => notify('')} />
        <WaitingPeople meeting={meeting} waiting={state.waiting} />
        <div className="meeting-body">
          <MeetingStage look={look} />
          {sidebar === 'people' && (
            <PeoplePanel
              meeting={meeting}
              pinned={look.pinned}
              onPin={(pinned) => appearance.update({ pinned })}
              onClose={close}
            />
          )}
          {sidebar === 'chat' && <ChatPanel meeting={meeting} lines={state.chat} onClose={close} />}
          {sidebar === 'network' && (
            <NetworkPanel meeting={meeting} verdict={state.verdict} onClose={close} />
          )}
        </div>
        <MeetingControls
          settings={settings}
          look={look}
          unread={state.unread}
          embedder={embedder}
          onNotice={notify}
          onSidebar={show}
          onView={(activeSpeakerMode) => appearance.update({ activeSpeakerMode, pinned: undefined })}
          onLeave={onLeave}
        />
      </main>
      <RoomAudioRenderer />
    </RoomContext.Provider>
  );
}

/** The tiles: all of the same size, or with the active speaker or the pinned participant large. */
function MeetingStage({ look }: { look: Appearance }) {
  const speakers = useSpeakingParticipants();
  const speaking = speakers.find((person) => !person.isLocal)?.identity;
  // In silence, the last speaker stays large.
  const [last, setLast] = useState<string>();
  if (speaking !== undefined && speaking !== last) setLast(speaking);
  return (
    <Stage
      spotlight={look.pinned ?? (look.activeSpeakerMode ? last : undefined)}
      hideOwn={!look.showLocalVideo}
      hideOthers={!look.showParticipantsBar}
    />
  );
}
