import { useEffect, useState, type SyntheticEvent } from 'react';

import { fixedName, type Claims } from '../client/access';
import { MAX_NAME_LENGTH, roomProblem } from '../client/address';
import type { Preview } from '../client/media/preview';
import { Logo } from '../ui/Logo';
import { DevicePreview } from '../ui/preview/DevicePreview';
import { Problems } from '../ui/preview/Problems';
import { useStore } from '../ui/useStore';

/** Who wants to join which room. */
export interface Guest {
  room: string;
  name: string;
}

interface LobbyProps {
  screen: { problem: string; joining: boolean };
  preview: Preview;
  guest: Guest;
  /** Claims of the access token; undefined when the server issues tokens to the page itself. */
  claims: Claims | undefined;
  onJoin: (guest: Guest) => void;
}

export function Lobby({ screen, preview, guest, claims, onJoin }: LobbyProps) {
  const devices = useStore(preview.state);
  const ownName = claims === undefined ? undefined : fixedName(claims);
  const [room, setRoom] = useState(claims?.room ?? guest.room);
  const [name, setName] = useState(ownName ?? guest.name);
  const [problem, setProblem] = useState('');

  const mayPublish = claims?.mayPublish ?? true;

  useEffect(() => {
    // Do not ask for a camera that may not be published.
    if (!mayPublish) return undefined;
    void preview.start();
    return () => {
      preview.stop();
    };
  }, [preview, mayPublish]);

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const wanted = { room: room.trim(), name: name.trim() };
    const found =
      roomProblem(wanted.room) ??
      (wanted.name === '' ? 'Enter your name so that the others know who you are.' : '');
    setProblem(found);
    if (found === '') onJoin(wanted);
  };

  return (
    <main className="lobby" data-testid="lobby">
      <header>
        <Logo />
      </header>
      <div className={mayPublish ? 'lobby-columns' : 'lobby-columns lobby-single'}>
        {mayPublish && <DevicePreview preview={preview} devices={devices} />}
        <form className="card fields" onSubmit={submit} noValidate>
          <h1>Join a lesson</h1>
          <div className="field">
            <label htmlFor="room">Room</label>
            <input
              id="room"
              data-testid="lobby-room"
              autoComplete="off"
              autoCapitalize="none"
              maxLength={MAX_NAME_LENGTH}
              readOnly={claims !== undefined}
              value={room}
              onChange={(event) => setRoom(event.target.value)}
            />
          </div>
          <div className="field">
            <label htmlFor="name">Your name</label>
            <input
              id="name"
              data-testid="lobby-name"
              autoComplete="nickname"
              maxLength={MAX_NAME_LENGTH}
              readOnly={ownName !== undefined}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          </div>
          {!mayPublish && <p>You will join to watch and listen; your camera and microphone stay off.</p>}
          <Problems
            preview={preview}
            devices={devices}
            problem={problem === '' ? screen.problem : problem}
            testId="lobby-error"
          />
          <button type="submit" className="primary" data-testid="lobby-join" disabled={screen.joining}>
            {screen.joining ? 'Joining…' : 'Join'}
          </button>
        </form>
      </div>
    </main>
  );
}
