import '../../../styles/account.css';
import '../../../styles/planning.css';

import { useCallback, useEffect, useState } from 'react';

import type { Caller } from '../../../client/classroom/call';
import { placePath } from '../../../client/classroom/place';
import { appointments, type Bookable } from '../../../client/classroom/school/appointments';
import type { Me } from '../../../client/classroom/sessions';
import { p } from '../../../client/text/planning/texts';
import { CardProblem } from '../account/CardProblem';
import { useAttempt } from '../account/useAttempt';
import { Booked } from './Booked';
import { CommonTimes } from './CommonTimes';
import { FreeTimes } from './FreeTimes';

interface AppointmentsPageProps {
  caller: Caller;
  me: Me;
  onSignedOut: () => void;
}

/** Free times of tutors, which people book here, and their appointments. */
export function AppointmentsPage({ caller, me, onSignedOut }: AppointmentsPageProps) {
  const { attempt, problem } = useAttempt(onSignedOut);
  const [tutors, setTutors] = useState<readonly Bookable[]>();
  const [chosen, setChosen] = useState('');
  // Bookings are loaded again after each change.
  const [changes, setChanges] = useState(0);
  const changed = useCallback(() => setChanges((before) => before + 1), []);
  useEffect(() => {
    const load = async (): Promise<void> => {
      const found = await appointments.tutors(caller);
      setTutors(found.filter(({ tutor }) => tutor !== me.person));
    };
    const first = window.setTimeout(() => void attempt(load));
    return () => window.clearTimeout(first);
  }, [attempt, caller, me.person]);
  const teaches = me.role === 'tutor' || me.role === 'admin';
  const tutor = tutors?.find((each) => each.tutor === chosen) ?? tutors?.[0];
  const shared = { caller, onSignedOut, changes, onChanged: changed };
  return (
    <div className="account" data-testid="appointments-page">
      <h1>{p('book.title')}</h1>
      <CardProblem problem={problem} testId="appointments-problem" />
      {teaches && (
        <>
          <Booked {...shared} tutor={me.person} title={p('book.own')} empty={p('book.noneOwn')} names />
          <a href={placePath({ kind: 'account' })} data-testid="appointments-times">
            {p('book.times')}
          </a>
          <CommonTimes caller={caller} onSignedOut={onSignedOut} me={me.person} />
        </>
      )}
      {tutors?.length === 0 && <p data-testid="appointments-nobody">{p('book.nobody')}</p>}
      {tutors !== undefined && tutor !== undefined && (
        <div className="account-cards">
          <FreeTimes
            key={tutor.tutor}
            {...shared}
            tutor={tutor}
            tutors={tutors}
            onTutor={(next) => setChosen(next)}
          />
          <Booked
            key={`booked ${tutor.tutor}`}
            {...shared}
            tutor={tutor.tutor}
            title={p('book.mine', { name: tutor.name })}
            empty={p('book.noneMine')}
          />
        </div>
      )}
    </div>
  );
}
