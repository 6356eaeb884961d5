import { useCallback, useState } from 'react';

import { officeHours, type OfficeHours } from '../../client/classroom/school/people';
import { placePath } from '../../client/classroom/place';
import { named, s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { TextField } from '../../ui/controls/TextField';
import type { PartProps } from './parts';
import { usePolled } from './usePolled';

// A person in a queue watches it.
const EVERY_MS = 5000;

/** Office hours: the user's own as a tutor, and those of others with a queue. */
export function OfficeHoursCard({ caller, me, attempt }: PartProps) {
  const load = useCallback(() => officeHours.list(caller), [caller]);
  const { value = [], again } = usePolled(load, EVERY_MS);
  const teaches = me.role === 'tutor' || me.role === 'admin';
  const run = (call: () => Promise<unknown>): void =>
    void attempt(async () => {
      await call();
      await again();
    });
  const own = value.find(({ tutor }) => tutor === me.person);
  const others = value.filter(
    ({ tutor, open, position, session }) => tutor !== me.person && (open || position > 0 || session !== ''),
  );
  if (!teaches && others.length === 0) return null;
  return (
    <section className="card fields" data-testid="office-hours">
      <h2>{s('hours.title')}</h2>
      {teaches && <OwnHours caller={caller} me={me.person} hours={own} run={run} />}
      {others.map((hours) => (
        <Visit key={hours.tutor} caller={caller} hours={hours} run={run} />
      ))}
    </section>
  );
}

interface OwnProps {
  caller: PartProps['caller'];
  me: string;
  hours: OfficeHours | undefined;
  run: (call: () => Promise<unknown>) => void;
}

function OwnHours({ caller, me, hours, run }: OwnProps) {
  const open = hours?.open === true;
  const queue = hours?.queue ?? [];
  const admit = (person: string): void =>
    run(async () => {
      const session = await officeHours.admit(caller, me, person, s('hours.title'));
      window.location.assign(placePath({ kind: 'session', id: session }));
    });
  return (
    <>
      <p className="soft">{s(open ? 'hours.open' : 'hours.closed')}</p>
      {hours !== undefined && hours.session !== '' && (
        <div className="actions">
          <a className="button button-primary" href={placePath({ kind: 'session', id: hours.session })}>
            {s('hours.goOn')}
          </a>
          <Button
            testId="hours-complete"
            onPress={() => run(() => officeHours.command(caller, me, 'complete'))}
          >
            {s('hours.complete')}
          </Button>
          <Button
            look="quiet"
            testId="hours-no-show"
            onPress={() => run(() => officeHours.command(caller, me, 'no-show'))}
          >
            {s('hours.noShow')}
          </Button>
        </div>
      )}
      <ul className="queue">
        {queue.map(({ person, name, topic }) => (
          <li key={person} data-testid="queue-person">
            <span>
              <strong>{name}</strong>
              {topic !== '' && <span className="soft"> {topic}</span>}
            </span>
            <Button
              look="quiet"
              label={named(s('knock.admit'), name)}
              testId="queue-admit"
              disabled={hours?.session !== ''}
              onPress={() => admit(person)}
            >
              {s('knock.admit')}
            </Button>
          </li>
        ))}
      </ul>
      {open && queue.length === 0 && <p className="soft">{s('hours.nobody')}</p>}
      <Button
        look={open ? 'plain' : 'primary'}
        testId="hours-toggle"
        onPress={() => run(() => officeHours.command(caller, me, open ? 'close' : 'open'))}
      >
        {s(open ? 'hours.toClose' : 'hours.toOpen')}
      </Button>
    </>
  );
}

/** Another tutor's office hours: join the queue, wait, enter. */
function Visit({ caller, hours, run }: Pick<OwnProps, 'caller' | 'run'> & { hours: OfficeHours }) {
  const [topic, setTopic] = useState('');
  const { tutor, name, waiting, position, waitS, session } = hours;
  const minutes = Math.max(Math.round(waitS / 60), 1);
  const id = `topic-${tutor}`;
  return (
    <div className="visit" data-testid="visit" data-tutor={tutor}>
      <h3>{name}</h3>
      {session !== '' && (
        <a
          className="button button-primary"
          href={placePath({ kind: 'session', id: session })}
          data-testid="hours-enter"
        >
          {s('hours.enter')}
        </a>
      )}
      {session === '' && position > 0 && (
        <>
          <p role="status" data-testid="hours-place">
            {s('door.place', { place: position })} {s('hours.wait', { count: minutes })}
          </p>
          <Button testId="hours-leave" onPress={() => run(() => officeHours.command(caller, tutor, 'leave'))}>
            {s('door.stop')}
          </Button>
        </>
      )}
      {session === '' && position === 0 && (
        <form
          className="fields"
          onSubmit={(event) => {
            event.preventDefault();
            run(() => officeHours.join(caller, tutor, topic.trim()));
          }}
        >
          <p className="soft">{s('hours.waiting', { count: waiting })}</p>
          <TextField
            id={id}
            testId="hours-topic"
            label={s('hours.topic')}
            maxLength={200}
            value={topic}
            onChange={setTopic}
          />
          <Button submit look="primary" testId="hours-join" label={named(s('hours.join'), name)}>
            {s('hours.join')}
          </Button>
        </form>
      )}
    </div>
  );
}
