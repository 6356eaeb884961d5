import { useConnectionState, useParticipants, useRoomContext } from '@livekit/components-react';
import { ConnectionState } from 'livekit-client';
import type { ReactNode } from 'react';

import { t } from '../client/text/catalogue';
import { connectionWords } from '../client/joining';
import { RecordingMark } from './RecordingMark';

/** The name of the room, the number of people in it, whether it is recorded, and the state of the connection. */
export function RoomHeader({ stalled, saver }: { stalled: boolean; saver: ReactNode }) {
  const room = useRoomContext();
  const people = useParticipants().length;
  return (
    <header className="lesson-header">
      {/* The name is known once the room is joined; until then a heading would be empty. */}
      {room.name !== '' && <h1>{room.name}</h1>}
      <p className="people" data-testid="people">
        {people === 1 ? t('people.alone') : t('people.count', { count: people })}
      </p>
      <RecordingMark />
      <ConnectionStatus stalled={stalled} />
      {saver}
    </header>
  );
}

/** The state of the connection, read out when it changes. */
export function ConnectionStatus({ stalled }: { stalled: boolean }) {
  const state = useConnectionState(useRoomContext());
  const isGood = state === ConnectionState.Connected && !stalled;
  return (
    <p
      className={isGood ? 'status' : 'status status-bad'}
      role="status"
      data-testid="status"
      data-state={state}
      data-stalled={stalled}
    >
      {stalled && state === ConnectionState.Connected ? t('connection.stalled') : connectionWords(state)}
    </p>
  );
}
