import { useEffect, useState, type ReactNode, type SyntheticEvent } from 'react';

import type { FollowedSession } from '../../client/classroom/live/session';
import type { Joined } from '../../client/classroom/sessions';
import type { Preview } from '../../client/media/devices/preview';
import type { Access } from '../../client/server/server';
import { dateAndTime, t } from '../../client/text/catalogue';
import { s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { TextField } from '../../ui/controls/TextField';
import { useStore } from '../../ui/hooks/useStore';
import { ConnectionCheck } from '../../ui/preview/ConnectionCheck';
import { DevicePreview } from '../../ui/preview/DevicePreview';
import { Problems } from '../../ui/preview/Problems';
import { BlurSwitch } from '../../ui/controls/BlurSwitch';
import { SpeakerTest } from '../../ui/preview/SpeakerTest';

interface DoorProps {
  preview: Preview;
  speaker: string;
  onSpeaker: (id: string) => void;
  /** Gives access to a room in which to test the connection; undefined for people whom the server does not know yet. */
  checkAccess: (() => Promise<Access>) | undefined;
  children: ReactNode;
}

/** The devices on one side, the actions on the other. */
export function Door({ preview, speaker, onSpeaker, checkAccess, children }: DoorProps) {
  const devices = useStore(preview.state);
  useEffect(() => {
    void preview.resume();
    return () => preview.stop();
  }, [preview]);
  return (
    <div className="lobby-columns">
      <DevicePreview preview={preview} devices={devices} />
      <div className="lobby-side">
        {children}
        <div className="lobby-tests">
          <BlurSwitch />
          <SpeakerTest speaker={speaker} revision={devices.microphone.state} onChoose={onSpeaker} />
          {checkAccess !== undefined && <ConnectionCheck access={checkAccess} />}
        </div>
      </div>
    </div>
  );
}

interface ReadyProps {
  title: string;
  preview: Preview;
  problem: string;
  busy: boolean;
  /** The name that a guest types; undefined for people who are signed in. */
  name: string | undefined;
  onJoin: (name: string) => void;
}

/** Before joining. */
export function Ready({ title, preview, problem, busy, name: recalled, onJoin }: ReadyProps) {
  const devices = useStore(preview.state);
  const [name, setName] = useState(recalled ?? '');
  const [missing, setMissing] = useState(false);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const unnamed = recalled !== undefined && name.trim() === '';
    setMissing(unnamed);
    if (!unnamed) onJoin(name.trim());
  };
  return (
    <form className="card fields" onSubmit={submit} noValidate data-testid="door-ready">
      <p className="soft">{s('door.ready')}</p>
      <h1>{title}</h1>
      {recalled !== undefined && (
        <TextField
          id="name"
          label={t('lobby.name')}
          testId="door-name"
          autoComplete="nickname"
          maxLength={100}
          value={name}
          onChange={setName}
        />
      )}
      <Button submit look="primary" testId="door-join" disabled={busy}>
        {busy ? t('action.joining') : s('door.join')}
      </Button>
      {/* Below the button, which a message may not push off a small screen. */}
      <Problems
        preview={preview}
        devices={devices}
        problem={missing ? t('name.missing') : problem}
        testId="door-problem"
      />
    </form>
  );
}

const PLACE_MS = 5000;

interface WaitingProps {
  joined: Joined;
  session: FollowedSession;
  onStop: () => void;
}

/** In the lobby: the reason for waiting, and the position in the queue. */
export function Waiting({ joined, session, onStop }: WaitingProps) {
  const { door } = useStore(session.state);
  useEffect(() => {
    // People in the lobby receive no events about each other, so the page requests the position in the queue.
    const timer = window.setInterval(() => void session.load(), PLACE_MS);
    return () => window.clearInterval(timer);
  }, [session]);
  const why = door?.why ?? joined.why ?? 'knock';
  const place = door?.place ?? joined.place;
  const notStarted = why === 'not_started';
  return (
    <section className="card fields" data-testid="waiting" data-why={why}>
      <p className="soft">{door?.title}</p>
      <h1>{s(notStarted ? 'door.waitTutor' : 'door.knock')}</h1>
      <div role="status" className="fields">
        <p>{s(notStarted ? 'door.waitTutorDetail' : 'door.knockDetail')}</p>
        {door?.startsAt !== undefined && notStarted && (
          <p>{s('door.startsAt', { when: dateAndTime(door.startsAt) })}</p>
        )}
        {place > 0 && !notStarted && <p data-testid="place">{s('door.place', { place })}</p>}
      </div>
      <div className="progress" aria-hidden="true" />
      <Button testId="stop-waiting" onPress={onStop}>
        {s('door.stop')}
      </Button>
    </section>
  );
}
