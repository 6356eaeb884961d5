import { useState } from 'react';

import type { NewSession as NewSessionFields } from '../../client/classroom/sessions';
import { REPEATS, type NewSeries, type Repeat } from '../../client/classroom/school/schedule';
import { momentOf } from '../../client/classroom/time';
import { s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { TextField } from '../../ui/controls/TextField';
import { Switch } from '../../ui/controls/Switch';
import { OWN_ZONE } from './zones';
import { ZoneSelect } from './calendar/ZoneSelect';

interface NewSessionProps {
  busy: boolean;
  onStart: (session: NewSessionFields) => void;
  onSchedule: (session: NewSessionFields) => void;
  /** Recurring lessons are in the timetable; each becomes a session when it starts. */
  onSeries: (series: NewSeries) => void;
}

/** Starts a session now, or schedules one. */
export function NewSession({ busy, onStart, onSchedule, onSeries }: NewSessionProps) {
  const [title, setTitle] = useState('');
  const [local, setLocal] = useState('');
  const [zone, setZone] = useState(OWN_ZONE);
  const [repeat, setRepeat] = useState<Repeat>('once');
  const [minutes, setMinutes] = useState('45');
  const [times, setTimes] = useState('');
  const [knock, setKnock] = useState(true);
  const [guests, setGuests] = useState(false);
  const [problem, setProblem] = useState('');
  const submit = (later: boolean): void => {
    const startsAt = later ? momentOf(local, zone) : undefined;
    if (title.trim() === '') setProblem(s('home.newTitleMissing'));
    else if (later && (startsAt === undefined || startsAt * 1000 < Date.now()))
      setProblem(s('home.timeMissing'));
    else {
      setProblem('');
      const session = { title: title.trim(), knock, guests };
      if (startsAt === undefined) onStart(session);
      else if (repeat === 'once') onSchedule({ ...session, startsAt });
      else {
        onSeries({
          title: session.title,
          starts: local,
          zone,
          durationS: Math.max(Number(minutes), 5) * 60,
          repeat,
          count: times === '' ? undefined : Math.max(Number(times), 1),
        });
      }
    }
  };
  return (
    <form
      className="card fields"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit(false);
      }}
    >
      <h2>{s('home.new')}</h2>
      <TextField
        id="new-title"
        label={s('home.newTitle')}
        maxLength={200}
        value={title}
        onChange={setTitle}
      />
      <div className="field-pair">
        <TextField
          id="new-when"
          label={s('home.when')}
          type="datetime-local"
          value={local}
          onChange={setLocal}
        />
        <ZoneSelect id="new-zone" zone={zone} onChange={setZone} />
      </div>
      <div className="field">
        <label htmlFor="new-repeat">{s('home.repeat')}</label>
        <select
          id="new-repeat"
          data-testid="new-repeat"
          value={repeat}
          onChange={({ target }) => setRepeat(REPEATS.find((each) => each === target.value) ?? 'once')}
        >
          {REPEATS.map((each) => (
            <option key={each} value={each}>
              {s(`home.${each}`)}
            </option>
          ))}
        </select>
      </div>
      {repeat !== 'once' && (
        <div className="field-pair">
          <TextField
            id="new-minutes"
            label={s('home.minutes')}
            type="number"
            value={minutes}
            onChange={setMinutes}
          />
          <TextField id="new-times" label={s('home.times')} type="number" value={times} onChange={setTimes} />
        </div>
      )}
      <div>
        <Switch label={s('home.knock')} on={knock} testId="new-knock" onChange={setKnock} />
        <Switch label={s('home.guests')} on={guests} testId="new-guests" onChange={setGuests} />
      </div>
      {problem !== '' && (
        <p role="alert" className="problem">
          {problem}
        </p>
      )}
      <div className="actions">
        <Button submit look="primary" testId="new-start" disabled={busy}>
          {s('home.startNow')}
        </Button>
        <Button testId="new-schedule" disabled={busy} onPress={() => submit(true)}>
          {s('home.schedule')}
        </Button>
      </div>
    </form>
  );
}
