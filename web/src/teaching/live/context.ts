/** Context shared by the parts of a session's room. */
import { createContext, useContext, useEffect, useState } from 'react';

import type { SessionState } from '../../client/classroom/live/state';
import { isStaff, isTutor, pathOf } from '../../client/classroom/sessions';
import type { FollowedSession } from '../../client/classroom/live/session';
import type { SessionWire } from './wire';

export interface Live {
  session: FollowedSession;
  state: SessionState;
  me: string;
  staff: boolean;
  tutor: boolean;
  /** Run a command of the session, such as `('/hands')`. Refusals are shown to the user; returns whether it succeeded. */
  run: (path: string, body?: object) => Promise<boolean>;
  /** The same for deletions, such as `('/files/f_1')`. */
  drop: (path: string) => Promise<boolean>;
  wire: SessionWire;
}

export const LiveContext = createContext<Live | undefined>(undefined);

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === undefined) throw new Error('not in a session');
  return live;
}

export function liveOf(wire: SessionWire, state: SessionState): Live {
  const { me, role } = state.people;
  const { session } = wire;
  return {
    session,
    state,
    me,
    staff: isStaff(role),
    tutor: isTutor(role),
    run: (path, body) => wire.run(() => session.command(path, body)),
    drop: (path) => wire.run(() => session.caller.delete(pathOf(session.id) + path)),
    wire,
  };
}

/** The server's time in seconds since 1970; the component renders again each second. */
export function useServerNow(): number {
  const { aheadS } = useLive().state.lifecycle;
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, []);
  return nowMs / 1000 + aheadS;
}
