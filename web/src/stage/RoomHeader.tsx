import { useConnectionState, useParticipants, useRoomContext } from '@livekit/components-react';
import { ConnectionState } from 'livekit-client';

import { connectionWords } from '../client/words';

/** The name of the room, the number of people in it, and the state of the connection. */
export function RoomHeader() {
  const room = useRoomContext();
  const state = useConnectionState(room);
  const people = useParticipants().length;
  return (
    <header className="lesson-header">
      <h1>{room.name}</h1>
      <p className="people" data-testid="people">
        {people === 1 ? 'Only you' : `${people} people`}
      </p>
      <p
        className={state === ConnectionState.Connected ? 'status' : 'status status-bad'}
        role="status"
        data-testid="status"
        data-state={state}
      >
        {connectionWords(state)}
      </p>
    </header>
  );
}
