import { useCallback, useMemo } from 'react';

import { sessionEntries, lessonEntries, type Entry } from '../../../client/classroom/calendar';
import type { Caller } from '../../../client/classroom/call';
import { schedule } from '../../../client/classroom/school/schedule';
import type { Summary } from '../../../client/classroom/sessions';
import { usePolled } from '../usePolled';

// Lessons change when this person or an application changes them; the list of sessions is polled more often.
const EVERY_MS = 300_000;
const AHEAD_S = 200 * 86_400;

/** The entries of a person's calendar: their sessions and, for a tutor, the lessons ahead. `tutor`: the person's id. */
export function useCalendar(
  caller: Caller,
  tutor: string | undefined,
  sessions: readonly Summary[] | undefined,
) {
  const load = useCallback(async (): Promise<{ nowS: number; lessons: Entry[] }> => {
    const nowS = Date.now() / 1000;
    if (tutor === undefined) return { nowS, lessons: [] };
    return { nowS, lessons: lessonEntries(await schedule.between(caller, tutor, nowS, nowS + AHEAD_S)) };
  }, [caller, tutor]);
  const { value, again } = usePolled(load, EVERY_MS);
  const entries = useMemo(
    () => [...sessionEntries(sessions ?? []), ...(value?.lessons ?? [])],
    [sessions, value],
  );
  return { entries, nowS: value?.nowS, again };
}
