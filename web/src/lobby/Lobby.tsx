import { lazy, Suspense, useEffect, useRef, useState, type SyntheticEvent } from 'react';

import { fixedName, type Claims } from '../client/access/access';
import { MAX_NAME_LENGTH, roomProblem } from '../client/access/address';
import type { Preview } from '../client/media/devices/preview';
import { serverPath } from '../client/server/base';
import type { Access } from '../client/server/server';
import { t } from '../client/text/catalogue';
import { Button } from '../ui/controls/Button';
import { LanguageSelect } from '../ui/controls/LanguageSelect';
import { TextField } from '../ui/controls/TextField';
import { Logo } from '../ui/surfaces/Logo';
import { DevicePreview } from '../ui/preview/DevicePreview';
import { Problems } from '../ui/preview/Problems';
import { useStore } from '../ui/hooks/useStore';

const LobbyTests = lazy(async () => ({ default: (await import('./LobbyTests')).LobbyTests }));

/** Who wants to join which room. */
export interface Guest {
  room: string;
  name: string;
}

interface LobbyProps {
  screen: { problem: string; joining: boolean };
  preview: Preview;
  guest: Guest;
  /** The user's link is for one room. */
  roomIsFixed: boolean;
  /** Claims of a personal access token; undefined without one. */
  claims: Claims | undefined;
  speaker: string;
  onSpeaker: (id: string) => void;
  /** Gives access to a room in which to try the connection. */
  checkAccess: () => Promise<Access>;
  onJoin: (guest: Guest) => void;
}

export function Lobby(props: LobbyProps) {
  const { screen, preview, guest, roomIsFixed, claims, speaker, onSpeaker, onJoin } = props;
  const devices = useStore(preview.state);
  const ownName = claims === undefined ? undefined : fixedName(claims);
  const [room, setRoom] = useState(claims?.room ?? guest.room);
  const [name, setName] = useState(ownName ?? guest.name);
  const [problem, setProblem] = useState('');
  const form = useFocusOnFirstGap();

  const mayPublish = claims?.mayPublish ?? true;

  useEffect(() => {
    // Do not ask for a camera that may not be published.
    if (!mayPublish) return undefined;
    void preview.resume();
    return () => {
      preview.stop();
    };
  }, [preview, mayPublish]);

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const wanted = { room: room.trim(), name: name.trim() };
    const found = roomProblem(wanted.room) ?? (wanted.name === '' ? t('name.missing') : '');
    setProblem(found);
    if (found === '') onJoin(wanted);
  };

  return (
    <main className="lobby" data-testid="lobby">
      <header className="lobby-header">
        <Logo />
        <LanguageSelect />
      </header>
      <div className={mayPublish ? 'lobby-columns' : 'lobby-columns lobby-single'}>
        {mayPublish && <DevicePreview preview={preview} devices={devices} />}
        <div className="lobby-side">
          <form ref={form} className="card fields" onSubmit={submit} noValidate>
            <h1>{t('lobby.title')}</h1>
            <div className="field">
              <label htmlFor="room">{t('lobby.room')}</label>
              <input
                id="room"
                data-testid="lobby-room"
                autoComplete="off"
                autoCapitalize="none"
                maxLength={MAX_NAME_LENGTH}
                readOnly={roomIsFixed}
                aria-describedby={roomIsFixed ? undefined : 'room-help'}
                value={room}
                onChange={(event) => setRoom(event.target.value)}
              />
              {!roomIsFixed && (
                <>
                  <p id="room-help" className="soft">
                    {t('lobby.roomHelp')}
                  </p>
                  <a href={serverPath('/')} data-testid="lobby-sessions">
                    {t('lobby.sessions')}
                  </a>
                </>
              )}
            </div>
            <TextField
              id="name"
              label={t('lobby.name')}
              testId="lobby-name"
              autoComplete="nickname"
              maxLength={MAX_NAME_LENGTH}
              readOnly={ownName !== undefined}
              value={name}
              onChange={setName}
            />
            {!mayPublish && <p>{t('lobby.watchOnly')}</p>}
            <Button submit look="primary" testId="lobby-join" disabled={screen.joining}>
              {t(screen.joining ? 'action.joining' : 'action.join')}
            </Button>
            {/* Below the button, which a message may not push off a small screen. */}
            <Problems
              preview={preview}
              devices={devices}
              problem={problem === '' ? screen.problem : problem}
              testId="lobby-error"
            />
          </form>
          <Suspense fallback={null}>
            <LobbyTests
              speaker={speaker}
              revision={devices.microphone.state}
              onSpeaker={onSpeaker}
              checkAccess={props.checkAccess}
            />
          </Suspense>
        </div>
      </div>
    </main>
  );
}

/** Put the focus into the first empty field. Not on touch screens, where it would open the keyboard over the preview. */
function useFocusOnFirstGap() {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (!window.matchMedia('(pointer: fine)').matches) return;
    const fields = [...(form.current?.querySelectorAll('input') ?? [])];
    fields.find((field) => field.value === '' && !field.readOnly)?.focus();
  }, []);
  return form;
}
