import { useState, type SyntheticEvent } from 'react';

import { MAX_NAME_LENGTH, randomRoom, roomPath, roomProblem } from '../../../client/access/address';
import { s } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { TextField } from '../../../ui/controls/TextField';

/** Opens a room without a session, whose link is for everybody. */
export function InstantForm() {
  const [room, setRoom] = useState('');
  const [problem, setProblem] = useState('');
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const name = room.trim() || randomRoom(crypto.getRandomValues(new Uint8Array(9)));
    const found = roomProblem(name) ?? '';
    setProblem(found);
    if (found === '') window.location.assign(roomPath(name));
  };
  return (
    <form className="card fields" onSubmit={submit} noValidate>
      <h2>{s('home.instant')}</h2>
      <p className="soft">{s('home.instantHelp')}</p>
      <TextField
        id="instant-room"
        label={s('home.instantRoom')}
        autoCapitalize="none"
        maxLength={MAX_NAME_LENGTH}
        value={room}
        onChange={setRoom}
      />
      {problem !== '' && (
        <p role="alert" className="problem">
          {problem}
        </p>
      )}
      <Button submit testId="instant-go">
        {s('home.instantGo')}
      </Button>
    </form>
  );
}
