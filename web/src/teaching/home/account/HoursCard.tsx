import { useEffect, useState, type SyntheticEvent } from 'react';

import {
  availability,
  dateOn,
  exceptionFault,
  LONGEST_EXTRA_H,
  weeklyFault,
  type Offer,
  type WeeklyTime,
} from '../../../client/classroom/school/availability';
import { dateWords } from '../../../client/text/catalogue';
import { a } from '../../../client/text/account/texts';
import { p } from '../../../client/text/planning/texts';
import { named } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { TextField } from '../../../ui/controls/TextField';
import { OWN_ZONE } from '../zones';
import { ZoneSelect } from '../calendar/ZoneSelect';
import { CardProblem } from './CardProblem';
import { Exceptions } from './Exceptions';
import { useAttempt, type CardProps } from './useAttempt';

const SLOTS = [15, 20, 30, 45, 60, 90];
const dayName = (weekday: number): string => dateWords(dateOn(weekday), { weekday: 'long' });

interface HoursCardProps extends CardProps {
  person: string;
  /** Students can be booked by nobody: their times are for planning. */
  bookable: boolean;
}

/** The weekly times at which a tutor can be booked, or a student has time, and exceptions of them. */
export function HoursCard({ caller, onSignedOut, person, bookable }: HoursCardProps) {
  const [offer, setOffer] = useState<Offer>();
  const [saved, setSaved] = useState(false);
  const { attempt, busy, problem, setProblem } = useAttempt(onSignedOut);
  useEffect(() => {
    const load = (): void =>
      void attempt(async () => setOffer(await availability.load(caller, person, OWN_ZONE)));
    const first = window.setTimeout(load);
    return () => window.clearTimeout(first);
  }, [attempt, caller, person]);
  if (offer === undefined) return <CardProblem problem={problem} testId="hours-problem" />;
  const change = (changed: Partial<Offer>): void => {
    setOffer({ ...offer, ...changed });
    setSaved(false);
  };
  const setTime = (at: number, changed: Partial<WeeklyTime>): void =>
    change({ weekly: offer.weekly.map((each, index) => (index === at ? { ...each, ...changed } : each)) });
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const fault = faultOf(offer);
    if (fault !== undefined) {
      setProblem(fault);
      return;
    }
    void attempt(async () => {
      await availability.save(caller, person, offer);
      setSaved(true);
    });
  };
  const lengths = SLOTS.includes(offer.slotMinutes) ? SLOTS : [offer.slotMinutes, ...SLOTS];
  return (
    <form className="card fields" onSubmit={submit} noValidate data-testid="hours">
      <h2>{bookable ? a('hours.title') : p('times.title')}</h2>
      <p className="soft">{bookable ? a('hours.explain') : p('times.explain')}</p>
      {offer.weekly.map((time, at) => (
        <TimeRow
          // Rows have no identity but their place.
          key={at}
          at={at}
          time={time}
          onChange={(changed) => setTime(at, changed)}
          onRemove={() => change({ weekly: offer.weekly.filter((_, index) => index !== at) })}
        />
      ))}
      <Button
        look="quiet"
        testId="hours-add"
        onPress={() => change({ weekly: [...offer.weekly, { weekday: 0, from: '09:00', to: '10:00' }] })}
      >
        {a('hours.add')}
      </Button>
      {bookable && (
        <div className="field">
          <label htmlFor="hours-slot">{a('hours.slot')}</label>
          <select
            id="hours-slot"
            data-testid="hours-slot"
            value={offer.slotMinutes}
            onChange={({ target }) => change({ slotMinutes: Number(target.value) })}
          >
            {lengths.map((each) => (
              <option key={each} value={each}>
                {a('hours.minutes', { count: each })}
              </option>
            ))}
          </select>
        </div>
      )}
      <ZoneSelect id="hours-zone" zone={offer.timeZone} onChange={(timeZone) => change({ timeZone })} />
      <Exceptions exceptions={offer.exceptions} onChange={(exceptions) => change({ exceptions })} />
      <p role="status">{saved && a('hours.saved')}</p>
      <CardProblem problem={problem} testId="hours-problem" />
      <Button submit testId="hours-save" disabled={busy}>
        {a('hours.save')}
      </Button>
    </form>
  );
}

/** What is wrong with the form, in words; undefined if nothing is. */
function faultOf({ weekly, exceptions, timeZone }: Offer): string | undefined {
  const times = weeklyFault(weekly);
  if (times !== undefined) return a(`hours.${times}`);
  const fault = exceptionFault(exceptions, timeZone);
  if (fault === 'long') return p('except.long', { count: LONGEST_EXTRA_H });
  return fault === undefined ? undefined : p(`except.${fault}`);
}

interface TimeRowProps {
  at: number;
  time: WeeklyTime;
  onChange: (changed: Partial<WeeklyTime>) => void;
  onRemove: () => void;
}

function TimeRow({ at, time, onChange, onRemove }: TimeRowProps) {
  const id = `hours-${at}`;
  return (
    <div className="hours-row" data-testid="hours-row">
      <div className="field">
        <label htmlFor={`${id}-day`}>{a('hours.day')}</label>
        <select
          id={`${id}-day`}
          data-testid={`${id}-day`}
          value={time.weekday}
          onChange={({ target }) => onChange({ weekday: Number(target.value) })}
        >
          {[0, 1, 2, 3, 4, 5, 6].map((each) => (
            <option key={each} value={each}>
              {dayName(each)}
            </option>
          ))}
        </select>
      </div>
      <TextField
        id={`${id}-from`}
        label={a('hours.from')}
        type="time"
        value={time.from}
        onChange={(from) => onChange({ from })}
      />
      <TextField
        id={`${id}-to`}
        label={a('hours.to')}
        type="time"
        value={time.to}
        onChange={(to) => onChange({ to })}
      />
      <Button look="quiet" label={named(a('hours.remove'), dayName(time.weekday))} onPress={onRemove}>
        {a('hours.remove')}
      </Button>
    </div>
  );
}
