import '../../../styles/calendar.css';

import { useState } from 'react';

import {
  byDay,
  dayOf,
  daysOf,
  firstWeekdayOf,
  turn,
  type Day,
  type Entry,
  type Span,
} from '../../../client/classroom/calendar';
import { dateWords, intlLanguage, timeOfDay } from '../../../client/text/catalogue';
import { s } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { IconButton } from '../../../ui/controls/IconButton';
import { OWN_ZONE } from '../zones';
import { ZoneSelect } from './ZoneSelect';

// More of a day are in its week.
const SHOWN_IN_MONTH = 3;

/** The sessions and lessons of a person by day, in weeks or months, in any time zone. */
export function CalendarView({ entries, nowS }: { entries: readonly Entry[]; nowS: number }) {
  const [span, setSpan] = useState<Span>('week');
  const [zone, setZone] = useState(OWN_ZONE);
  const today = dayOf(nowS, zone);
  const [day, setDay] = useState(today);
  const days = daysOf(span, day, firstWeekdayOf(intlLanguage()));
  const found = byDay(entries, zone);
  const [first = day, last = day] = [days[0], days.at(-1)];
  const title =
    span === 'month'
      ? dateWords(day, { month: 'long', year: 'numeric' })
      : `${dateWords(first, { day: 'numeric', month: 'short' })} – ${dateWords(last, { day: 'numeric', month: 'short', year: 'numeric' })}`;
  const open = (chosen: Day): void => {
    setDay(chosen);
    setSpan('week');
  };
  return (
    <section className="calendar card" data-testid="calendar-view" data-span={span}>
      <div className="calendar-bar">
        <h2 aria-live="polite">{title}</h2>
        <div className="calendar-buttons">
          <IconButton
            look="bare"
            icon="previous"
            label={s('calendar.previous')}
            testId="calendar-previous"
            onPress={() => setDay(turn(span, day, -1))}
          />
          <Button testId="calendar-today" onPress={() => setDay(today)}>
            {s('home.today')}
          </Button>
          <IconButton
            look="bare"
            icon="next"
            label={s('calendar.next')}
            testId="calendar-next"
            onPress={() => setDay(turn(span, day, 1))}
          />
          <Button testId="calendar-span" onPress={() => setSpan(span === 'week' ? 'month' : 'week')}>
            {s(span === 'week' ? 'calendar.month' : 'calendar.week')}
          </Button>
        </div>
      </div>
      <ol className={`calendar-days calendar-${span}`}>
        {days.map((each) => (
          <DayCell
            key={each}
            day={each}
            today={each === today}
            apart={span === 'month' && each.slice(0, 7) !== day.slice(0, 7)}
            entries={found.get(each) ?? []}
            zone={zone}
            most={span === 'month' ? SHOWN_IN_MONTH : undefined}
            onMore={() => open(each)}
          />
        ))}
      </ol>
      <ZoneSelect id="calendar-zone" zone={zone} onChange={setZone} />
    </section>
  );
}

interface DayCellProps {
  day: Day;
  today: boolean;
  /** The day belongs to another month than the one that is shown. */
  apart: boolean;
  entries: readonly Entry[];
  zone: string;
  /** How many entries there is room for. */
  most: number | undefined;
  onMore: () => void;
}

function DayCell({ day, today, apart, entries, zone, most, onMore }: DayCellProps) {
  const shown = entries.slice(0, most);
  const more = entries.length - shown.length;
  return (
    <li
      className={apart ? 'calendar-day calendar-apart' : 'calendar-day'}
      data-day={day}
      data-empty={entries.length === 0}
      aria-current={today ? 'date' : undefined}
    >
      <h3>
        <span className="calendar-weekday">{dateWords(day, { weekday: 'short' })} </span>
        {dateWords(day, { day: 'numeric' })}
        <span className="visually-hidden"> {dateWords(day, { month: 'long' })}</span>
      </h3>
      {shown.map(({ id, title, at, href }) => {
        const words = (
          <>
            <span className="calendar-time">{timeOfDay(at * 1000, zone)}</span> {title}
          </>
        );
        return href === undefined ? (
          <p key={id} className="calendar-entry" data-testid="calendar-entry">
            {words}
          </p>
        ) : (
          <a key={id} className="calendar-entry" href={href} data-testid="calendar-entry">
            {words}
          </a>
        );
      })}
      {more > 0 && (
        <button type="button" className="calendar-more" onClick={onMore}>
          {s('calendar.more', { count: more })}
        </button>
      )}
    </li>
  );
}
