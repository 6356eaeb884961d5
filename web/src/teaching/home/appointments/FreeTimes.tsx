import { useCallback, useEffect, useState } from 'react';

import { Problem } from '../../../client/classroom/call';
import {
  appointments,
  byDay,
  dayIn,
  WEEK_S,
  type Bookable,
  type Slot,
} from '../../../client/classroom/school/appointments';
import { dateWords, timeOfDay } from '../../../client/text/catalogue';
import { p } from '../../../client/text/planning/texts';
import { t } from '../../../client/text/catalogue';
import { Button } from '../../../ui/controls/Button';
import { TextField } from '../../../ui/controls/TextField';
import { Dialog } from '../../../ui/surfaces/Dialog';
import { CardProblem } from '../account/CardProblem';
import { useAttempt, type CardProps } from '../account/useAttempt';
import { ZoneSelect } from '../calendar/ZoneSelect';
import { OWN_ZONE } from '../zones';
import { momentWords } from './momentWords';

interface FreeTimesProps extends CardProps {
  tutor: Bookable;
  tutors: readonly Bookable[];
  /** Counts changes of bookings, after which other times are free. */
  changes: number;
  onTutor: (tutor: string) => void;
  onChanged: () => void;
}

// The server lists what can be booked at all; a year of weeks is more than that.
const LAST_WEEK = 52;
const LONG_DAY = { weekday: 'long', day: 'numeric', month: 'long' } as const;
const SHORT_DAY = { day: 'numeric', month: 'short' } as const;

/** The free times of one tutor, week by week, in any time zone. */
export function FreeTimes({
  caller,
  onSignedOut,
  tutor,
  tutors,
  changes,
  onTutor,
  onChanged,
}: FreeTimesProps) {
  const [fromS] = useState(() => Math.floor(Date.now() / 1000));
  const [week, setWeek] = useState(0);
  const [zone, setZone] = useState(OWN_ZONE);
  const [slots, setSlots] = useState<readonly Slot[]>();
  const [wanted, setWanted] = useState<Slot>();
  const [topic, setTopic] = useState('');
  const [booked, setBooked] = useState('');
  const { attempt, busy, problem, setProblem } = useAttempt(onSignedOut);
  const sinceS = fromS + week * WEEK_S;
  const load = useCallback(
    async () => setSlots(await appointments.slots(caller, tutor.tutor, sinceS)),
    [caller, tutor.tutor, sinceS],
  );
  useEffect(() => {
    const first = window.setTimeout(() => void attempt(load));
    return () => window.clearTimeout(first);
  }, [attempt, load, changes]);
  const turn = (by: number): void => {
    setWeek(week + by);
    setSlots(undefined);
  };
  const book = async (slot: Slot): Promise<void> => {
    setWanted(undefined);
    setBooked('');
    let taken = '';
    await attempt(async () => {
      try {
        const title = p('book.session', { name: tutor.name });
        await appointments.book(caller, tutor.tutor, slot.startsAt, topic.trim(), title);
        setBooked(p('book.booked', { when: momentWords(slot.startsAt, zone) }));
        setTopic('');
      } catch (error) {
        taken = refusalOf(error);
        if (taken === '') throw error;
      }
      onChanged();
    });
    if (taken !== '') setProblem(taken);
  };
  const day = (atS: number): string => dateWords(dayIn(atS, zone), SHORT_DAY);
  return (
    <section className="card fields" data-testid="free-times" aria-busy={slots === undefined}>
      <h2>{p('book.free')}</h2>
      <div className="field">
        <label htmlFor="book-tutor">{p('book.tutor')}</label>
        <select
          id="book-tutor"
          data-testid="book-tutor"
          value={tutor.tutor}
          onChange={({ target }) => onTutor(target.value)}
        >
          {tutors.map((each) => (
            <option key={each.tutor} value={each.tutor}>
              {each.name}
            </option>
          ))}
        </select>
      </div>
      <ZoneSelect id="book-zone" zone={zone} onChange={setZone} />
      <div className="week-turner">
        <Button look="quiet" testId="book-earlier" disabled={week === 0} onPress={() => turn(-1)}>
          {p('book.earlier')}
        </Button>
        <p role="status" data-testid="book-week">
          {p('book.week', { from: day(sinceS), to: day(sinceS + WEEK_S) })}
        </p>
        <Button look="quiet" testId="book-later" disabled={week === LAST_WEEK} onPress={() => turn(1)}>
          {p('book.later')}
        </Button>
      </div>
      <p role="status" className={booked === '' ? undefined : 'good-news'} data-testid="book-done">
        {booked}
      </p>
      <CardProblem problem={problem} testId="book-problem" />
      {slots?.length === 0 && <p className="soft">{p('book.none')}</p>}
      {byDay(slots ?? [], zone).map((each) => (
        <div key={each.day} className="slot-day">
          <h3>{dateWords(each.day, LONG_DAY)}</h3>
          <ul className="slots">
            {each.slots.map((slot) => (
              <li key={slot.startsAt}>
                <Button
                  testId="book-slot"
                  label={momentWords(slot.startsAt, zone)}
                  disabled={busy}
                  onPress={() => setWanted(slot)}
                >
                  {timeOfDay(slot.startsAt * 1000, zone)}
                </Button>
              </li>
            ))}
          </ul>
        </div>
      ))}
      {wanted !== undefined && (
        <Dialog title={p('book.ask')} testId="book-dialog" onClose={() => setWanted(undefined)}>
          <form
            className="fields"
            onSubmit={(event) => {
              event.preventDefault();
              void book(wanted);
            }}
          >
            <p>{p('book.with', { when: momentWords(wanted.startsAt, zone), name: tutor.name })}</p>
            <TextField
              id="book-topic"
              label={p('book.topic')}
              rows={2}
              maxLength={500}
              value={topic}
              onChange={setTopic}
            />
            <div className="actions">
              <Button submit look="primary" testId="book-confirm">
                {p('book.confirm')}
              </Button>
              <Button onPress={() => setWanted(undefined)}>{t('action.cancel')}</Button>
            </div>
          </form>
        </Dialog>
      )}
    </section>
  );
}

/** Why a time was not booked, for refusals that are common here; empty for others. */
function refusalOf(error: unknown): string {
  if (!(error instanceof Problem)) return '';
  if (error.code === 'slot_not_free') return p('book.taken');
  return error.code === 'too_many' ? p('book.tooMany') : '';
}
