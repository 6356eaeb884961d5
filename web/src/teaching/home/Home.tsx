import { useCallback, useEffect, useState } from 'react';

import type { Caller } from '../../client/classroom/call';
import { placePath, shownCode } from '../../client/classroom/place';
import { replay } from '../../client/recordings/replay';
import {
  isOver,
  pathOf,
  sessions,
  type Me,
  type NewSession as Fields,
  type Summary,
} from '../../client/classroom/sessions';
import { schedule, type NewSeries } from '../../client/classroom/school/schedule';
import { agenda } from '../../client/classroom/time';
import { isSignedOut, problemWords } from '../../client/classroom/words';
import { dateAndTime } from '../../client/text/catalogue';
import { p } from '../../client/text/planning/texts';
import { s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { Dialog } from '../../ui/surfaces/Dialog';
import { CalendarView } from './calendar/CalendarView';
import { CalendarLink } from './calendar/CalendarLink';
import { CodeForm } from './entrance/CodeForm';
import { GroupsCard } from './GroupsCard';
import { InstantForm } from './entrance/InstantForm';
import { NewSession } from './NewSession';
import { OfficeHoursCard } from './OfficeHoursCard';
import { PresenceCard } from './PresenceCard';
import { SessionList } from './SessionList';
import { TimesCard } from './calendar/TimesCard';
import { TimetableList } from './calendar/TimetableList';
import { useCalendar } from './calendar/useCalendar';
import { usePolled } from './usePolled';

interface HomeProps {
  caller: Caller;
  me: Me;
  /** The server lets everybody into rooms without a session. */
  instant: boolean;
  onCode: (code: string) => void;
  onSignedOut: () => void;
}

/** The sessions of a person, with the available actions. */
export function Home({ caller, me, instant, onCode, onSignedOut }: HomeProps) {
  const { rows, found, recorded, problem, load, attempt } = useSessions(caller, onSignedOut);
  const [notice, setNotice] = useState('');
  const [cancelling, setCancelling] = useState<Summary>();
  const [busy, setBusy] = useState(false);
  // After it has created something, the form is empty again.
  const [made, setMade] = useState(0);
  const creates = me.role === 'tutor' || me.role === 'admin';
  const run = (call: () => Promise<void>): void => {
    setBusy(true);
    void attempt(call).finally(() => setBusy(false));
  };
  const start = (fields: Fields): void =>
    run(async () => {
      const { id } = await sessions.create(caller, fields);
      await caller.post(`${pathOf(id)}/start`);
      window.location.assign(placePath({ kind: 'session', id }));
    });
  const plan = (fields: Fields): void =>
    run(async () => {
      const { code, startsAt } = await sessions.create(caller, fields);
      setMade((before) => before + 1);
      setNotice(s('home.scheduled', { when: dateAndTime(startsAt ?? 0), code: shownCode(code) }));
      await load();
    });
  const loadTimetable = useCallback(
    () => (creates ? schedule.load(caller, me.person) : Promise.resolve(undefined)),
    [caller, creates, me.person],
  );
  const timetable = usePolled(loadTimetable);
  const calendar = useCalendar(caller, creates ? me.person : undefined, rows);
  const addSeries = (series: NewSeries): void =>
    run(async () => {
      const count = await schedule.add(caller, me.person, series);
      const { title } = series;
      setMade((before) => before + 1);
      setNotice(count === 0 ? s('home.seriesAdded', { title }) : s('home.seriesCollides', { title, count }));
      await Promise.all([timetable.again(), calendar.again()]);
    });
  const part = { caller, me, attempt };
  const list = (rows: readonly Summary[], title: string, testId: string, empty?: string) => (
    <SessionList
      title={title}
      testId={testId}
      sessions={rows}
      me={me.person}
      recorded={recorded}
      onCancel={setCancelling}
      {...(empty !== undefined && { empty })}
    />
  );
  return (
    <div className="home-columns">
      <h1>{s('home.hello', { name: me.name })}</h1>
      <div className="home-main">
        {problem !== '' && (
          <p role="alert" className="problem">
            {problem}
          </p>
        )}
        {notice !== '' && (
          <p role="status" className="good-news" data-testid="home-notice">
            {notice}
          </p>
        )}
        {found !== undefined && (
          <>
            {list(found.today, s('home.today'), 'today', s('home.noneToday'))}
            {calendar.nowS !== undefined && <CalendarView entries={calendar.entries} nowS={calendar.nowS} />}
            {list(found.upcoming, s('home.upcoming'), 'upcoming')}
            <TimetableList
              {...part}
              timetable={timetable.value}
              onChanged={async () => {
                await Promise.all([timetable.again(), calendar.again()]);
              }}
            />
            {list(found.past, s('home.past'), 'past')}
          </>
        )}
      </div>
      <div className="home-side">
        {creates && (
          <NewSession key={made} busy={busy} onStart={start} onSchedule={plan} onSeries={addSeries} />
        )}
        <CodeForm onCode={onCode} />
        <nav className="home-links card">
          <a href={placePath({ kind: 'appointments' })} data-testid="appointments-link">
            {p(creates ? 'book.title' : 'book.link')}
          </a>
          {creates && (
            <a href={placePath({ kind: 'library' })} data-testid="library-link">
              {p('library.title')}
            </a>
          )}
        </nav>
        {instant && <InstantForm />}
      </div>
      <div className="home-more">
        <OfficeHoursCard {...part} />
        <PresenceCard {...part} />
        <GroupsCard {...part} />
        <CalendarLink {...part} />
        {!creates && <TimesCard caller={caller} person={me.person} onSignedOut={onSignedOut} />}
      </div>
      {cancelling !== undefined && (
        <Dialog
          title={s('home.cancelAsk', { title: cancelling.title })}
          role="alertdialog"
          testId="cancel-dialog"
          onClose={() => setCancelling(undefined)}
        >
          <p>{s('home.cancelDetail')}</p>
          <div className="actions">
            <Button
              look="danger"
              testId="cancel-confirm"
              onPress={() => {
                setCancelling(undefined);
                run(async () => {
                  await caller.post(`${pathOf(cancelling.id)}/cancel`);
                  await load();
                });
              }}
            >
              {s('home.cancel')}
            </Button>
            <Button firstFocus onPress={() => setCancelling(undefined)}>
              {s('home.keep')}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

// A session that another person starts appears without a reload.
const REFRESH_MS = 20_000;

function useSessions(caller: Caller, onSignedOut: () => void) {
  const [rows, setRows] = useState<Summary[]>();
  const [recorded, setRecorded] = useState<ReadonlySet<string>>(new Set());
  const [problem, setProblem] = useState('');
  const attempt = useCallback(
    async (call: () => Promise<void>): Promise<void> => {
      try {
        await call();
        setProblem('');
      } catch (error) {
        if (isSignedOut(error)) onSignedOut();
        else setProblem(problemWords(error));
      }
    },
    [onSignedOut],
  );
  const load = useCallback(async () => {
    const found = await sessions.list(caller);
    setRows(found);
    const over = found.filter(({ phase }) => isOver(phase)).map(({ id }) => id);
    setRecorded(new Set(await replay.recorded(caller, over)));
  }, [caller]);
  useEffect(() => {
    const first = window.setTimeout(() => void attempt(load));
    const timer = window.setInterval(() => void attempt(load), REFRESH_MS);
    return () => {
      window.clearTimeout(first);
      window.clearInterval(timer);
    };
  }, [attempt, load]);
  const startOfDayS = new Date().setHours(0, 0, 0, 0) / 1000;
  return {
    rows,
    found: rows === undefined ? undefined : agenda(rows, startOfDayS),
    recorded,
    problem,
    load,
    attempt,
  };
}
