import { useEffect, useState } from 'react';

import { appointments, type Common, type Course } from '../../../client/classroom/school/appointments';
import { a } from '../../../client/text/account/texts';
import { timeOfDay } from '../../../client/text/catalogue';
import { p } from '../../../client/text/planning/texts';
import { CardProblem } from '../account/CardProblem';
import { useAttempt, type CardProps } from '../account/useAttempt';
import { OWN_ZONE } from '../zones';
import { momentWords } from './momentWords';

const LENGTHS = [30, 45, 60, 90, 120];

/** When all people of one of a tutor's courses have time in the next week. */
export function CommonTimes({ caller, onSignedOut, me }: CardProps & { me: string }) {
  const { attempt, problem } = useAttempt(onSignedOut);
  const [courses, setCourses] = useState<readonly Course[]>([]);
  const [chosen, setChosen] = useState('');
  const [minutes, setMinutes] = useState(60);
  const [found, setFound] = useState<Common>();
  const course = courses.find(({ id }) => id === chosen) ?? courses[0];
  useEffect(() => {
    const load = async (): Promise<void> => setCourses(await appointments.courses(caller, me));
    const first = window.setTimeout(() => void attempt(load));
    return () => window.clearTimeout(first);
  }, [attempt, caller, me]);
  useEffect(() => {
    if (course === undefined) return undefined;
    let current = true;
    const load = async (): Promise<void> => {
      const common = await appointments.common(caller, course.people, minutes * 60);
      if (current) setFound(common);
    };
    const first = window.setTimeout(() => void attempt(load));
    return () => {
      current = false;
      window.clearTimeout(first);
    };
  }, [attempt, caller, course, minutes]);
  if (course === undefined) return <CardProblem problem={problem} testId="common-problem" />;
  return (
    <section className="card fields" data-testid="common">
      <h2>{p('common.title')}</h2>
      <div className="field">
        <label htmlFor="common-course">{p('common.course')}</label>
        <select
          id="common-course"
          data-testid="common-course"
          value={course.id}
          onChange={({ target }) => setChosen(target.value)}
        >
          {courses.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </select>
      </div>
      <div className="field">
        <label htmlFor="common-length">{p('common.length')}</label>
        <select
          id="common-length"
          data-testid="common-length"
          value={minutes}
          onChange={({ target }) => setMinutes(Number(target.value))}
        >
          {LENGTHS.map((each) => (
            <option key={each} value={each}>
              {a('hours.minutes', { count: each })}
            </option>
          ))}
        </select>
      </div>
      {found?.times.length === 0 && <p data-testid="common-none">{p('common.none')}</p>}
      <ul className="bans">
        {found?.times.map(({ startsAt, endsAt }) => (
          <li key={startsAt} data-testid="common-time" data-starts={startsAt}>
            {p('book.week', {
              from: momentWords(startsAt, OWN_ZONE),
              to: timeOfDay(endsAt * 1000, OWN_ZONE),
            })}
          </li>
        ))}
      </ul>
      {found !== undefined && found.unknown > 0 && (
        <p className="soft" data-testid="common-unknown">
          {p('common.unknown', { count: found.unknown })}
        </p>
      )}
      <CardProblem problem={problem} testId="common-problem" />
    </section>
  );
}
