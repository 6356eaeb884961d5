import { lazy, Suspense, useEffect, useReducer, useRef, useState } from 'react';

import { invitationPath, readAddress, roomPath, signallingUrl } from '../../client/access/address';
import type { Choice } from '../../client/media/devices/choice';
import type { Ending } from '../../client/joining';
import { Preview, type OpenDevices } from '../../client/media/devices/preview';
import type { Sending } from '../../client/media/sending/room';
import { fetchCheckToken, fetchGuestToken, fetchInvitation, fetchToken } from '../../client/server/server';
import { recall, remember, storage } from '../../client/storage';
import { unreachableWords } from '../../client/words';
import type { LessonSession } from '../../lesson/session';
import { Lobby, type Guest } from '../../lobby/Lobby';
import type { Invite } from '../../room/wire';
import { useLanguage } from '../../ui/hooks/useLanguage';
import { Ended } from './Ended';
import { FIRST_SCREEN, nextScreen, type Screen, type ScreenEvent } from './screen';
import { ServerUnreachable } from './ServerUnreachable';
import { useAccess, type Access } from './useAccess';
import { usePageConfig } from './usePageConfig';
import { useReturn } from '../../ui/hooks/useReturn';

// The client library is half of all code, and the form does not need it. What only a lesson needs is loaded while the user is in
// the lobby.
const loadDevices = () => import('../../client/media/devices/open');
const loadLesson = () => import('../../lesson');
const loadRoom = () => import('../../client/media/sending/room');
// Development mode and personal links need no token.
const TokenGate = lazy(async () => ({ default: (await import('../../lobby/TokenGate')).TokenGate }));
const Lesson = lazy(async () => ({ default: (await loadLesson()).Lesson }));

type LessonScreen = Screen<LessonSession>;

export function App() {
  useLanguage();
  const [screen, dispatch] = useReducer<LessonScreen, [ScreenEvent<LessonSession>]>(nextScreen, FIRST_SCREEN);
  const [config, askAgain] = usePageConfig();
  const [access, paste] = useAccess();
  const [recalled] = useState(() => recall(storage('localStorage')));
  const [preview] = useState(() => {
    // Browsers offer devices only to secure contexts: https, or localhost.
    const open: OpenDevices = async (ids) => (await loadDevices()).openDevices(ids);
    const made = new Preview(recalled.ids, open, window.isSecureContext);
    for (const kind of ['camera', 'microphone'] as const) made.want(kind, recalled.on[kind]);
    return made;
  });
  const [speaker, setSpeaker] = useState(recalled.speaker);
  const [guest, setGuest] = useState<Guest>(() => ({
    room: readAddress(window.location).room,
    name: recalled.name,
  }));
  const [sending, setSending] = useState<Sending>({ camera: false, microphone: false });
  // Each attempt to join takes the next number; going back to the lobby makes the attempts before it void.
  const latest = useRef(0);
  useTitle(screen);
  useEffect(() => void loadLesson(), []);

  const save = (name: string): void => {
    const preferences = { name, ids: preview.chosen(), speaker, on: preview.wanted() };
    remember(storage('localStorage'), preferences);
  };

  const join = async (as: Guest, takeSending: () => Sending): Promise<void> => {
    latest.current += 1;
    const number = latest.current;
    dispatch({ type: 'joining' });
    try {
      await preview.settled();
      const { token, url } = await tokenFor(access, as);
      const { createRoom } = await loadRoom();
      const room = createRoom(preview.chosen(), speaker);
      const administers = access.kind === 'token' && access.claims.administers;
      const { LessonSession } = await loadLesson();
      const session = new LessonSession(room, token, administers);
      await room.connect(url === '' ? signallingUrl(window.location) : url, token);
      if (number !== latest.current) {
        void room.disconnect();
        return;
      }
      setGuest(as);
      setSending(takeSending());
      save(as.name);
      // An invitation stays in the address, so that a reload comes back with it.
      if (access.kind !== 'invitation') window.history.replaceState(null, '', roomPath(as.room));
      dispatch({ type: 'joined', session });
    } catch (error) {
      if (number !== latest.current) return;
      dispatch({ type: 'failed', ...(await failureOf(error)) });
    }
  };
  const rejoin = (): void => void join(guest, () => sending);

  const end = (session: LessonSession, ending: Ending, choice: Choice): void => {
    for (const kind of ['camera', 'microphone'] as const) preview.want(kind, choice[kind]);
    setSending(choice);
    save(guest.name);
    dispatch({ type: 'ended', session, ending });
  };

  useReturn(screen.name === 'ended' ? screen.attempt : undefined, rejoin, () => dispatch({ type: 'gaveUp' }));

  if (screen.name === 'lesson') {
    const { session } = screen;
    return (
      <Suspense fallback={null}>
        <Lesson
          session={session}
          name={guest.name}
          sending={sending}
          invite={inviteOf(access, config !== 'unreachable' && config?.dev === true, session.room.name)}
          onEnd={(ending, choice) => end(session, ending, choice)}
          onDevice={(kind, id) => {
            preview.choose(kind, id);
            save(guest.name);
          }}
        />
      </Suspense>
    );
  }
  if (screen.name === 'ended') {
    return (
      <Ended
        screen={screen}
        onRejoin={rejoin}
        onBack={() => {
          latest.current += 1;
          dispatch({ type: 'back' });
        }}
      />
    );
  }
  if (config === undefined) return null;
  if (config === 'unreachable') return <ServerUnreachable onRetry={askAgain} />;
  if (!config.dev && access.kind === 'none') {
    return (
      <Suspense fallback={null}>
        <TokenGate onPaste={paste} />
      </Suspense>
    );
  }
  return (
    <Lobby
      screen={screen}
      preview={preview}
      guest={access.kind === 'invitation' ? { ...guest, room: access.room } : guest}
      roomIsFixed={access.kind !== 'none'}
      claims={access.kind === 'token' ? access.claims : undefined}
      speaker={speaker}
      onSpeaker={setSpeaker}
      checkAccess={async () => fetchCheckToken((await tokenFor(access, { room: 'check', name: '' })).token)}
      onJoin={(as) => void join(as, () => sendingOf(preview))}
    />
  );
}

function useTitle(screen: LessonScreen): void {
  const title = screen.name === 'lesson' ? `${screen.session.room.name} · Lectern` : 'Lectern';
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** Why joining failed. What knows the reasons comes with the lesson, which a server that is unreachable cannot send. */
async function failureOf(error: unknown): Promise<{ problem: string; final: boolean }> {
  try {
    const { joinWords, mayPass } = await loadLesson();
    return { problem: joinWords(error), final: !mayPass(error) };
  } catch {
    return { problem: unreachableWords(), final: false };
  }
}

async function tokenFor(access: Access, { room, name }: Guest): Promise<{ token: string; url: string }> {
  switch (access.kind) {
    case 'token':
      return { token: access.token, url: '' };
    case 'invitation':
      return fetchGuestToken(access.invitation, name);
    case 'none':
      return fetchToken(room, name);
  }
}

/** How the user gets a link that works for everyone; undefined if they may not invite. */
function inviteOf(access: Access, dev: boolean, room: string): Invite | undefined {
  const { origin } = window.location;
  if (access.kind === 'invitation') {
    return () => Promise.resolve(origin + invitationPath(room, access.invitation));
  }
  // In dev mode the server gives everyone a token.
  if (dev) return () => Promise.resolve(origin + roomPath(room));
  if (access.kind !== 'token' || !access.claims.administers) return undefined;
  return async () => origin + invitationPath(room, await fetchInvitation(access.token));
}

function sendingOf(preview: Preview): Sending {
  const { camera, microphone } = preview.release();
  return { camera: camera ?? false, microphone: microphone ?? false };
}
