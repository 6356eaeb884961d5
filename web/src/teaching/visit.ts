/** A person's visit to a session, from the door to the end, as a state that components show. */
import type { DisconnectReason } from 'livekit-client';
import { useCallback, useEffect, useRef, useState } from 'react';

import { signallingUrl } from '../client/access/address';
import { Caller } from '../client/classroom/call';
import { FollowedSession } from '../client/classroom/live/session';
import { placePath } from '../client/classroom/place';
import { isOver, sessions, type Joined } from '../client/classroom/sessions';
import { problemWords } from '../client/classroom/words';
import type { Choice } from '../client/media/devices/choice';
import type { Preview } from '../client/media/devices/preview';
import { createRoom, type Sending } from '../client/media/sending/room';
import { endingWords, joinWords, type Ending } from '../client/joining';
import type { SessionWire } from './live/wire';

export interface Inside {
  joined: Joined;
  wire: SessionWire;
  sending: Sending;
}

export type Visit =
  | { step: 'ready'; problem: string; busy: boolean }
  | { step: 'waiting'; joined: Joined; session: FollowedSession }
  | { step: 'refused' }
  | ({ step: 'inside' } & Inside)
  /** The person is disconnected and may return. `attempt`: the page does so automatically, for the n-th time. */
  | { step: 'out'; id: string; ending: Ending; attempt: number | undefined }
  /** The session is over for everybody. */
  | { step: 'over'; id: string; caller: Caller; person: string };

interface VisitParts {
  preview: Preview;
  speaker: string;
  /** Joins the session: the result of `sessions.join` or a similar call. */
  join: () => Promise<Joined>;
  /** Stores the token of the session for reloads. */
  onToken: (id: string, token: string) => void;
}

const START: Visit = { step: 'ready', problem: '', busy: false };

export function useVisit({ preview, speaker, join: ask, onToken }: VisitParts) {
  const [visit, setVisit] = useState<Visit>(START);
  const latest = useRef(0);
  const sending = useRef<Sending>(undefined);
  const current = useRef<{ session: FollowedSession; joined: Joined }>(undefined);
  const drop = useCallback(() => {
    current.current?.session.close();
    current.current = undefined;
  }, []);
  useEffect(() => drop, [drop]);

  const enter = async (joined: Joined, session: FollowedSession, number: number): Promise<void> => {
    const [{ SessionWire }] = await Promise.all([import('./live'), preview.settled()]);
    const room = createRoom(preview.chosen(), speaker);
    // Before the connection, so that no event is missed between the two.
    const wire = new SessionWire(room, session, joined.person);
    const detach = session.attach(room);
    try {
      await room.connect(signallingUrl(window.location), joined.token);
    } catch (error) {
      detach();
      throw error;
    }
    if (number !== latest.current) {
      void room.disconnect();
      return;
    }
    const { camera, microphone } = preview.release();
    sending.current ??= { camera: camera ?? false, microphone: microphone ?? false };
    setVisit({ step: 'inside', joined, wire, sending: sending.current });
  };

  const wait = (joined: Joined, session: FollowedSession, number: number): void => {
    setVisit({ step: 'waiting', joined, session });
    let done = false;
    const look = (): void => {
      const { inside, door } = session.state.snapshot();
      if (done || number !== latest.current) return;
      if (door !== undefined && isOver(door.phase)) {
        done = true;
        drop();
        setVisit({ step: 'over', id: joined.session, caller: session.caller, person: joined.person });
      } else if (inside !== undefined) {
        done = true;
        void sessions
          .credentials(session.caller, joined.session)
          .then((admitted) => enter(admitted, session, number))
          .catch((error: unknown) => fail(error, number));
      }
    };
    session.onEvent((event) => {
      if (event.type !== 'people.turned_away' || done || number !== latest.current) return;
      done = true;
      drop();
      setVisit({ step: 'refused' });
    });
    session.state.subscribe(look);
    look();
  };

  const fail = (error: unknown, number: number): void => {
    if (number !== latest.current) return;
    drop();
    const problem =
      error instanceof Error && error.name === 'ConnectionError' ? joinWords(error) : problemWords(error);
    setVisit((before) =>
      before.step === 'out' && before.attempt !== undefined
        ? { ...before, attempt: before.attempt + 1 }
        : { step: 'ready', problem, busy: false },
    );
  };

  const join = (how = ask): void => {
    latest.current += 1;
    const number = latest.current;
    setVisit((before) => (before.step === 'out' ? before : { ...START, busy: true }));
    const run = async (): Promise<void> => {
      const joined = await how();
      if (number !== latest.current) return;
      onToken(joined.session, joined.accessToken);
      window.history.replaceState(null, '', placePath({ kind: 'session', id: joined.session }));
      const session = new FollowedSession(new Caller(joined.accessToken), joined.session, joined.person);
      current.current = { session, joined };
      session.open();
      if (joined.waiting) wait(joined, session, number);
      else await enter(joined, session, number);
    };
    run().catch((error: unknown) => fail(error, number));
  };

  /** The media connection has ended. The session knows the reason better than LiveKit. */
  const end = (reason: DisconnectReason | undefined, choice: Choice): void => {
    const gone = current.current;
    if (gone === undefined) return;
    const { session, joined } = gone;
    sending.current = choice;
    const id = joined.session;
    const ending = endingWords(reason);
    const show = async (): Promise<void> => {
      const phase = session.state.snapshot().inside?.lifecycle.phase;
      const found = phase !== undefined && isOver(phase) ? phase : undefined;
      const now = found ?? (await sessions.find(session.caller, id).catch(() => undefined))?.phase;
      drop();
      if (now !== undefined && isOver(now))
        setVisit({ step: 'over', id, caller: session.caller, person: joined.person });
      else setVisit({ step: 'out', id, ending, attempt: ending.returns ? 0 : undefined });
    };
    void show();
  };

  /** Stop waiting, or trying to return. */
  const stop = (): void => {
    latest.current += 1;
    const left = current.current;
    drop();
    if (left !== undefined) void left.session.command('/leave').catch(() => undefined);
    sending.current = undefined;
    setVisit(START);
  };
  const giveUp = (): void =>
    setVisit((before) => (before.step === 'out' ? { ...before, attempt: undefined } : before));
  return { visit, join, end, stop, giveUp };
}
