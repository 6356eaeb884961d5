import { useConnectionQualityIndicator, useParticipantAttributes } from '@livekit/components-react';
import type { Participant } from 'livekit-client';
import { useEffect, useState, type SyntheticEvent } from 'react';

import type { Person } from '../../client/classroom/live/people';
import { sessions, type Attendance } from '../../client/classroom/sessions';
import { clock } from '../../client/classroom/time';
import { problemWords } from '../../client/classroom/words';
import { t, timeOfDay } from '../../client/text/catalogue';
import { named, s } from '../../client/text/sessions/texts';
import { linkOf, linkState, otherLinkWords } from '../../stage/link';
import { Button } from '../../ui/controls/Button';
import { TextField } from '../../ui/controls/TextField';
import { Dialog } from '../../ui/surfaces/Dialog';
import { useLive } from '../live/context';

interface StudentDetailsProps {
  person: Person;
  participant: Participant | undefined;
  onClose: () => void;
}

/** What staff may know about one student: grade, attendance, connection. */
export function StudentDetails({ person, participant, onClose }: StudentDetailsProps) {
  const { state, tutor } = useLive();
  const { attendance, problem } = useAttendance(person.id);
  const grade = state.people.grades[person.id] ?? '';
  return (
    <Dialog title={named(s('student.details'), person.name)} testId="student-details" onClose={onClose}>
      {tutor ? (
        <GradeForm person={person.id} grade={grade} />
      ) : (
        grade !== '' && <p>{`${s('student.grade')} ${grade}`}</p>
      )}
      <dl className="facts">
        <div>
          <dt>{t('control.network')}</dt>
          <dd data-testid="details-link">
            {participant === undefined ? (
              t('link.lost')
            ) : (
              <LinkWords participant={participant} name={person.name} />
            )}
          </dd>
        </div>
        {attendance !== undefined && <Facts attendance={attendance} />}
      </dl>
      {problem !== '' && (
        <p role="alert" className="problem">
          {problem}
        </p>
      )}
    </Dialog>
  );
}

function Facts({ attendance }: { attendance: Attendance }) {
  const { firstJoinedAt, stays, totalS, lostS, talkS } = attendance;
  const rows = [
    [s('report.from'), timeOfDay(firstJoinedAt * 1000)],
    [s('student.visits'), String(stays.length)],
    [s('report.total'), clock(totalS)],
    [s('report.lost'), clock(lostS)],
    [s('report.talk'), clock(talkS)],
  ] as const;
  return rows.map(([label, value]) => (
    <div key={label}>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  ));
}

function LinkWords({ participant, name }: { participant: Participant; name: string }) {
  const { attributes = {} } = useParticipantAttributes({ participant });
  const { quality } = useConnectionQualityIndicator({ participant });
  const link = linkOf(attributes);
  const state = linkState(link, quality);
  if (state === undefined) return t('network.good');
  const words = link === undefined ? '' : otherLinkWords(name, link);
  return words === '' ? t(state === 'lost' ? 'link.lost' : 'link.poor') : words;
}

function GradeForm({ person, grade }: { person: string; grade: string }) {
  const { run } = useLive();
  const [typed, setTyped] = useState(grade);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (typed.trim() !== grade)
      void run(`/participants/${encodeURIComponent(person)}/grade`, { grade: typed.trim() });
  };
  return (
    <form className="grade-form" onSubmit={submit}>
      <TextField
        id="grade"
        label={s('student.grade')}
        testId="details-grade"
        maxLength={20}
        value={typed}
        onChange={setTyped}
      />
      {/* Not disabled after it was pressed: the focus would leave the dialog. */}
      <Button submit testId="details-grade-save">
        {s('student.gradeSave')}
      </Button>
    </form>
  );
}

/** The student's line of the attendance as of now. */
function useAttendance(person: string): { attendance: Attendance | undefined; problem: string } {
  const { caller, id } = useLive().session;
  const [attendance, setAttendance] = useState<Attendance>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    let current = true;
    sessions
      .attendance(caller, id)
      .then((lines) => {
        if (current) setAttendance(lines.find((line) => line.person === person));
      })
      .catch((error: unknown) => {
        if (current) setProblem(problemWords(error));
      });
    return () => {
      current = false;
    };
  }, [caller, id, person]);
  return { attendance, problem };
}
