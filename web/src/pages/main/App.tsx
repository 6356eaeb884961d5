import type { Room } from 'livekit-client';
import { useEffect, useReducer, useState } from 'react';

import { readClaims } from '../../client/access';
import { readAddress, roomPath, signallingUrl } from '../../client/address';
import { openDevices, Preview } from '../../client/media/preview';
import { createRoom, type Sending } from '../../client/media/room';
import { fetchToken } from '../../client/server';
import { recall, remember, storage } from '../../client/storage';
import { endingWords, joinWords } from '../../client/words';
import { Lesson, type Leaving } from '../../lesson/Lesson';
import { Lobby, type Guest } from '../../lobby/Lobby';
import { TokenGate } from '../../lobby/TokenGate';
import { Ended } from './Ended';
import { FIRST_SCREEN, nextScreen, type Screen, type ScreenEvent } from './screen';
import { ServerUnreachable } from './ServerUnreachable';
import { usePageConfig } from './usePageConfig';
import { useToken } from './useToken';

/** What is needed to join the lesson again. */
interface RejoinState {
  guest: Guest;
  sending: Sending;
}

export function App() {
  const [screen, dispatch] = useReducer<Screen<Room>, [ScreenEvent<Room>]>(nextScreen, FIRST_SCREEN);
  const [config, askAgain] = usePageConfig();
  const [token, setToken] = useToken();
  const [recalled] = useState(() => recall(storage('localStorage')));
  const [linkedRoom] = useState(() => readAddress(window.location).room);
  const [preview] = useState(
    // Browsers offer devices only to secure contexts: https, or localhost.
    () => new Preview(recalled.ids, openDevices, window.isSecureContext),
  );
  const [rejoin, setRejoin] = useState<RejoinState>({
    guest: { room: linkedRoom, name: recalled.name },
    sending: { camera: false, microphone: false },
  });
  const title = screen.name === 'lesson' ? `${screen.room.name} · Lectern` : 'Lectern';
  useEffect(() => {
    document.title = title;
  }, [title]);

  const save = (name: string): void => remember(storage('localStorage'), { name, ids: preview.chosen() });

  const join = async (guest: Guest, takeSending: () => Sending): Promise<void> => {
    dispatch({ type: 'joining' });
    try {
      await preview.settled();
      const access = token === '' ? await fetchToken(guest.room, guest.name) : { token, url: '' };
      const room = createRoom(preview.chosen());
      await room.connect(access.url === '' ? signallingUrl(window.location) : access.url, access.token);
      setRejoin({ guest, sending: takeSending() });
      save(guest.name);
      window.history.replaceState(null, '', roomPath(guest.room));
      dispatch({ type: 'joined', room });
    } catch (error) {
      dispatch({ type: 'failed', problem: joinWords(error) });
    }
  };

  const end = (room: Room, leaving: Leaving): void => {
    setRejoin({ ...rejoin, sending: leaving.sending });
    dispatch({ type: 'ended', room, ending: endingWords(leaving.reason) });
  };

  if (screen.name === 'lesson') {
    return (
      <Lesson
        room={screen.room}
        name={rejoin.guest.name}
        sending={rejoin.sending}
        onEnd={(leaving) => end(screen.room, leaving)}
        onDevice={(kind, id) => {
          preview.choose(kind, id);
          save(rejoin.guest.name);
        }}
      />
    );
  }
  if (screen.name === 'ended') {
    return (
      <Ended
        screen={screen}
        onRejoin={() => void join(rejoin.guest, () => rejoin.sending)}
        onBack={() => dispatch({ type: 'back' })}
      />
    );
  }
  if (config === undefined) return null;
  if (config === 'unreachable') return <ServerUnreachable onRetry={askAgain} />;
  const claims = token === '' ? undefined : readClaims(token);
  if (!config.dev && claims === undefined) return <TokenGate onToken={setToken} />;
  return (
    <Lobby
      screen={screen}
      preview={preview}
      guest={rejoin.guest}
      claims={claims}
      onJoin={(guest) => void join(guest, () => sendingOf(preview))}
    />
  );
}

function sendingOf(preview: Preview): Sending {
  const { camera, microphone } = preview.release();
  return { camera: camera ?? false, microphone: microphone ?? false };
}
