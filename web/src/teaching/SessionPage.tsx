import '../styles/lobby.css';

import { lazy, Suspense, useEffect, useState } from 'react';

import { Caller } from '../client/classroom/call';
import { placePath, shownCode, type Place } from '../client/classroom/place';
import { isOver, isStaff, sessions, type Joined, type Me, type Summary } from '../client/classroom/sessions';
import { clock } from '../client/classroom/time';
import { openDevices } from '../client/media/devices/open';
import { Preview } from '../client/media/devices/preview';
import { replay } from '../client/recordings/replay';
import { fetchCheckToken, fetchToken, type Access } from '../client/server/server';
import type { Preferences } from '../client/storage';
import { t } from '../client/text/catalogue';
import { s } from '../client/text/sessions/texts';
import { Button } from '../ui/controls/Button';
import { useReturn } from '../ui/hooks/useReturn';
import { Message } from '../ui/surfaces/Message';
import { Door, Ready, Waiting } from './door/Door';
import { ReplayLink } from './ReplayLink';
import { PageFrame } from './PageFrame';
import { useVisit } from './visit';

const SessionRoom = lazy(async () => ({ default: (await import('./live')).SessionRoom }));
const Report = lazy(async () => ({ default: (await import('./report/Report')).Report }));

interface SessionPageProps {
  place: Extract<Place, { kind: 'session' | 'code' }>;
  /** Signed in, or with a token for this session only; undefined for a person who has only a code. */
  caller: Caller | undefined;
  me: Me | undefined;
  /** Whether the server gives everybody a token. */
  dev: boolean;
  /** The outcome of the last visit. */
  recalled: Preferences;
  onToken: (id: string, token: string) => void;
  onPreferences: (preferences: Preferences) => void;
  onSignIn: (token: string, name: string) => void;
  onSignOut: (() => void) | undefined;
}

/** A session: its door, its room, and its report. */
export function SessionPage(props: SessionPageProps) {
  const { place, caller, me, recalled } = props;
  const [speaker, setSpeaker] = useState(recalled.speaker);
  const [preview] = useState(() => {
    const made = new Preview(recalled.ids, openDevices, window.isSecureContext);
    for (const kind of ['camera', 'microphone'] as const) made.want(kind, recalled.on[kind]);
    return made;
  });
  const save = (name: string): void =>
    props.onPreferences({ name, ids: preview.chosen(), speaker, on: preview.wanted() });
  const [guest, setGuest] = useState('');
  const ask = (name: string) => (): Promise<Joined> => joinBy(props, name);
  const parts = { preview, speaker, join: ask(guest), onToken: props.onToken };
  const { visit, join, end, stop, giveUp } = useVisit(parts);
  const known = useSummary(caller, place);
  useReturn(visit.step === 'out' ? visit.attempt : undefined, join, giveUp);
  const door = (
    <PageFrame name={me?.name} onSignOut={props.onSignOut}>
      <Door preview={preview} speaker={speaker} onSpeaker={setSpeaker} checkAccess={checkAccessOf(props)}>
        {visit.step === 'waiting' ? (
          <Waiting joined={visit.joined} session={visit.session} onStop={stop} />
        ) : (
          <Ready
            title={
              known?.title ?? (place.kind === 'code' ? s('door.code', { code: shownCode(place.code) }) : '')
            }
            preview={preview}
            problem={visit.step === 'ready' ? visit.problem : ''}
            busy={visit.step === 'ready' && visit.busy}
            name={caller === undefined ? recalled.name : undefined}
            onJoin={(name) => {
              setGuest(name);
              save(name === '' ? recalled.name : name);
              join(ask(name));
            }}
          />
        )}
      </Door>
    </PageFrame>
  );
  if (known !== undefined && isOver(known.phase) && visit.step === 'ready') {
    return <Over caller={caller} id={known.id} me={me?.person} onSignOut={props.onSignOut} name={me?.name} />;
  }
  switch (visit.step) {
    case 'ready':
    case 'waiting':
      return door;
    case 'refused':
      return (
        <Message title={s('door.refused')} testId="refused">
          <p role="status">{s('door.refusedDetail')}</p>
          <div className="actions">
            <Button look="primary" testId="knock-again" onPress={stop}>
              {s('door.again')}
            </Button>
            <HomeLink />
          </div>
        </Message>
      );
    case 'inside':
      return (
        <Suspense fallback={null}>
          <SessionRoom
            wire={visit.wire}
            name={visit.joined.name}
            sending={visit.sending}
            onEnd={end}
            onDevice={(kind, id) => {
              preview.choose(kind, id);
              save(recalled.name);
            }}
          />
        </Suspense>
      );
    case 'out':
      return (
        <Message title={visit.ending.title} testId="ended">
          <p role="status">
            {visit.ending.detail} {visit.attempt !== undefined && t('end.returning')}
          </p>
          {visit.attempt !== undefined && <div className="progress" aria-hidden="true" />}
          <div className="actions">
            {visit.ending.rejoin !== undefined && (
              <Button look="primary" testId="rejoin" onPress={() => join()}>
                {visit.ending.rejoin}
              </Button>
            )}
            <HomeLink />
          </div>
        </Message>
      );
    case 'over':
      return (
        <Over
          caller={visit.caller}
          id={visit.id}
          me={visit.person}
          onSignOut={props.onSignOut}
          name={me?.name}
        />
      );
  }
}

/** Access to a room in which to test the connection; undefined for guests, whom the server does not know yet. */
function checkAccessOf({ caller, dev }: SessionPageProps): (() => Promise<Access>) | undefined {
  if (caller !== undefined) return () => sessions.connectionCheck(caller);
  return dev ? async () => fetchCheckToken((await fetchToken('check', '')).token) : undefined;
}

async function joinBy({ place, caller, dev, onSignIn }: SessionPageProps, name: string): Promise<Joined> {
  if (caller !== undefined) {
    return place.kind === 'session'
      ? sessions.join(caller, place.id)
      : sessions.joinByCode(caller, place.code);
  }
  const code = place.kind === 'code' ? place.code : '';
  if (!dev) return sessions.joinAsGuest(new Caller(''), code, name);
  const token = await sessions.signInForDevelopment(new Caller(''), name, 'student');
  onSignIn(token, name);
  return sessions.joinByCode(new Caller(token), code);
}

/** The session as the caller may see it before joining; undefined for people who have only a code. */
function useSummary(caller: Caller | undefined, place: Place): Summary | undefined {
  const [found, setFound] = useState<Summary>();
  const id = place.kind === 'session' ? place.id : undefined;
  useEffect(() => {
    if (caller === undefined || id === undefined) return undefined;
    let current = true;
    sessions
      .find(caller, id)
      .then((summary) => {
        if (current) setFound(summary);
      })
      .catch(() => undefined);
    return () => {
      current = false;
    };
  }, [caller, id]);
  return found;
}

function HomeLink() {
  return (
    <a className="button" href={placePath({ kind: 'home' })} data-testid="to-home">
      {s('door.home')}
    </a>
  );
}

interface OverProps {
  caller: Caller | undefined;
  id: string;
  me: string | undefined;
  name: string | undefined;
  onSignOut: (() => void) | undefined;
}

/** After the end: the report for staff, their own time for everybody else. */
function Over({ caller, id, me, name, onSignOut }: OverProps) {
  const [mine, setMine] = useState<{ staff: boolean; totalS: number }>();
  const [recorded, setRecorded] = useState(false);
  useEffect(() => {
    if (caller === undefined) return undefined;
    let current = true;
    replay
      .recorded(caller, [id])
      .then((found) => {
        if (current) setRecorded(found.length > 0);
      })
      .catch(() => undefined);
    sessions
      .attendance(caller, id)
      .then((lines) => {
        const own = lines.find(({ person }) => person === me);
        // Students see only their own line.
        const staff = own === undefined ? lines.length > 0 : isStaff(own.role);
        if (current) setMine({ staff, totalS: own?.totalS ?? 0 });
      })
      .catch(() => {
        if (current) setMine({ staff: false, totalS: 0 });
      });
    return () => {
      current = false;
    };
  }, [caller, id, me]);
  if (mine === undefined || caller === undefined) return null;
  if (mine.staff) {
    return (
      <PageFrame name={name} onSignOut={onSignOut}>
        <Suspense fallback={null}>
          <Report caller={caller} id={id} />
        </Suspense>
      </PageFrame>
    );
  }
  return (
    <Message title={s('door.over')} testId="session-over">
      <p>{s('door.overDetail')}</p>
      {mine.totalS > 0 && <p data-testid="own-time">{s('door.yourTime', { time: clock(mine.totalS) })}</p>}
      {recorded && <ReplayLink session={{ id, title: s('door.over') }} />}
      <HomeLink />
    </Message>
  );
}
