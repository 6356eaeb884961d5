import { RoomAudioRenderer, RoomContext, useSpeakingParticipants } from '@livekit/components-react';
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';

import { LessonHeader } from '../../stage/RoomHeader';
import { Notices } from '../../stage/Notices';
import { Stage } from '../../stage/Stage';
import type { Embedder } from './CallPage';
import { ChatPanel } from './ChatPanel';
import { Countdown } from './Countdown';
import type { Looks, LooksState } from '../call/looks';
import type { Meeting } from '../call/meeting';
import { MeetingControls } from './MeetingControls';
import { NetworkPanel } from './NetworkPanel';
import { PeoplePanel } from './PeoplePanel';
import type { Step } from '../call/step';
import { useSounds } from './useSounds';
import { WaitingPeople } from './WaitingPeople';

interface MeetingScreenProps {
  step: Extract<Step<Meeting>, { name: 'meeting' }>;
  looks: Looks;
  embedder: Embedder | undefined;
  onLeave: () => void;
}

/** The meeting itself. */
export function MeetingScreen({ step: { look, meeting }, looks, embedder, onLeave }: MeetingScreenProps) {
  const looked = useSyncExternalStore(looks.subscribe, looks.snapshot);
  const state = useSyncExternalStore(meeting.subscribe, meeting.snapshot);
  const show = useCallback((sidebar: LooksState['sidebar']) => looks.set({ sidebar }), [looks]);
  const notify = useCallback((words: string) => meeting.notify(words), [meeting]);
  const { sidebar } = looked;
  useEffect(() => {
    meeting.readChat(sidebar === 'chat');
  }, [meeting, sidebar]);
  useSounds(meeting.room, looked.ding, state.waiting.length);
  const close = useCallback(() => show(null), [show]);
  return (
    <RoomContext.Provider value={meeting.room}>
      <main
        className={`lesson meeting names-${looked.showNames === false ? 'auto' : looked.showNames}`}
        data-testid="meeting"
      >
        <LessonHeader />
        <Countdown room={meeting.room} />
        <Notices notice={state.notice} onDismiss={() => notify('')} />
        <WaitingPeople meeting={meeting} waiting={state.waiting} />
        <div className="meeting-body">
          <MeetingStage looked={looked} />
          {sidebar === 'people' && (
            <PeoplePanel
              meeting={meeting}
              pinned={looked.pinned}
              onPin={(pinned) => looks.set({ pinned })}
              onClose={close}
            />
          )}
          {sidebar === 'chat' && <ChatPanel meeting={meeting} lines={state.chat} onClose={close} />}
          {sidebar === 'network' && (
            <NetworkPanel meeting={meeting} verdict={state.verdict} onClose={close} />
          )}
        </div>
        <MeetingControls
          look={look}
          looked={looked}
          unread={state.unread}
          embedder={embedder}
          onNotice={notify}
          onSidebar={show}
          onView={(activeSpeakerMode) => looks.set({ activeSpeakerMode, pinned: undefined })}
          onLeave={onLeave}
        />
      </main>
      <RoomAudioRenderer />
    </RoomContext.Provider>
  );
}

/** The pictures: all equal, or whoever speaks large. */
function MeetingStage({ looked }: { looked: LooksState }) {
  const speakers = useSpeakingParticipants();
  const speaking = speakers.find((person) => !person.isLocal)?.identity;
  // Who spoke last stays large in silence.
  const [last, setLast] = useState<string>();
  if (speaking !== undefined && speaking !== last) setLast(speaking);
  return (
    <Stage
      spotlight={looked.pinned ?? (looked.activeSpeakerMode ? last : undefined)}
      hideOwn={!looked.showLocalVideo}
      hideOthers={!looked.showParticipantsBar}
    />
  );
}
