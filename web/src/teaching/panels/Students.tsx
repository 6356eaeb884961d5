import {
  useConnectionQualityIndicator,
  useIsSpeaking,
  useParticipantAttributes,
  useParticipants,
} from '@livekit/components-react';
import type { Participant } from 'livekit-client';
import { useState, type SyntheticEvent } from 'react';

import type { Person } from '../../client/classroom/live/people';
import { clock } from '../../client/classroom/time';
import { t } from '../../client/text/catalogue';
import { named, s } from '../../client/text/sessions/texts';
import { linkOf, linkState } from '../../stage/link';
import { hue, initials } from '../../stage/names';
import { Button } from '../../ui/controls/Button';
import { Icon } from '../../ui/controls/Icon';
import { IconButton } from '../../ui/controls/IconButton';
import { TextField } from '../../ui/controls/TextField';
import { TEACHING } from '../../ui/controls/teachingIcons';
import { Dialog } from '../../ui/surfaces/Dialog';
import { Panel } from '../../ui/surfaces/Panel';
import { useLive, useServerNow } from '../live/context';
import { PersonTimes } from '../live/PersonTimes';
import { NOTABLE_S, unheardSince } from '../live/unheard';
import { StudentDetails } from './StudentDetails';

/** The students beside the stage, on wide screens. */
export function Students() {
  return (
    <aside className="students card" aria-label={s('panel.students')} data-testid="students">
      <h2>{s('panel.students')}</h2>
      <StudentList />
    </aside>
  );
}

/** The same list as a panel, on narrow screens. */
export function StudentsPanel({ onClose }: { onClose: () => void }) {
  return (
    <Panel title={s('panel.students')} testId="students-panel" onClose={onClose}>
      <StudentList />
    </Panel>
  );
}

/** Students who need help first, then raised hands, then the rest by name. */
function StudentList() {
  const { state } = useLive();
  const [writing, setWriting] = useState<Person>();
  const [looking, setLooking] = useState<string>();
  const participants = useParticipants();
  const students = state.people.present.filter(({ role }) => role === 'student');
  const rank = ({ id }: Person): number => {
    const asks = state.help.findIndex(({ by }) => by === id);
    if (asks >= 0) return asks;
    const hand = state.people.hands.findIndex(({ person }) => person === id);
    return hand >= 0 ? 1000 + hand : 10_000;
  };
  const connected = (id: string) => participants.find(({ identity }) => identity === id);
  const looked = students.find(({ id }) => id === looking);
  const sorted = [...students].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  return (
    <>
      {students.length === 0 && <p className="soft">{s('student.none')}</p>}
      {/* Reachable by keyboard, because it scrolls. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above; axe demands it */}
      <ul className="student-list" tabIndex={0} aria-label={s('panel.students')}>
        {sorted.map((person) => (
          <Student
            key={person.id}
            person={person}
            participant={connected(person.id)}
            onWrite={() => setWriting(person)}
            onLook={() => setLooking(person.id)}
          />
        ))}
      </ul>
      {writing !== undefined && <MessageDialog person={writing} onClose={() => setWriting(undefined)} />}
      {looked !== undefined && (
        <StudentDetails
          person={looked}
          participant={connected(looked.id)}
          onClose={() => setLooking(undefined)}
        />
      )}
    </>
  );
}

interface StudentProps {
  person: Person;
  participant: Participant | undefined;
  onWrite: () => void;
  onLook: () => void;
}

function Student({ person, participant, onWrite, onLook }: StudentProps) {
  const { state, run } = useLive();
  const { id, name, lostAt } = person;
  const help = state.help.find(({ by }) => by === id);
  const hand = state.people.hands.some((each) => each.person === id);
  const grade = state.people.grades[id] ?? '';
  const observed = state.exercises.observed.includes(id);
  const mode = observed ? 'observe' : 'teach';
  return (
    <li
      className={help === undefined ? 'student' : 'student student-asks'}
      data-testid="student"
      data-person={id}
    >
      <div className="student-head">
        <span
          className="person-face"
          aria-hidden="true"
          style={{ backgroundColor: `hsl(${hue(id)} 38% 36%)` }}
        >
          {initials(name)}
        </span>
        <span className="person-name">
          {name}{' '}
          {grade !== '' && (
            <span className="student-grade" data-testid="student-grade">
              <span className="visually-hidden">{s('student.grade')} </span>
              {grade}
            </span>
          )}{' '}
          {participant !== undefined && <Speaking participant={participant} />}
        </span>
        <div className="student-buttons">
          {hand && (
            <IconButton
              look="bare"
              icon="hand"
              active
              label={named(t('control.lower'), name)}
              testId="lower-hand"
              onPress={() => void run('/hands/lower', { person: id })}
            />
          )}
          <IconButton
            look="bare"
            icon="chat"
            label={named(s('student.message'), name)}
            testId="student-message"
            onPress={onWrite}
          />
          <IconButton
            look="bare"
            icon={TEACHING.details}
            label={named(s('student.details'), name)}
            testId="student-details-open"
            onPress={onLook}
          />
        </div>
      </div>
      {help !== undefined && (
        <div className="student-help">
          <Icon name={TEACHING.help} />
          <span>{help.text === '' ? s('student.needsHelp') : help.text}</span>
          {help.responder === '' ? (
            <Button
              look="primary"
              testId="student-respond"
              label={named(s('help.respond'), name)}
              onPress={() => void run(`/help-requests/${help.id}/respond`)}
            >
              {s('help.respond')}
            </Button>
          ) : (
            <Button
              testId="student-resolve"
              label={named(s('help.resolve'), name)}
              onPress={() => void run(`/help-requests/${help.id}/resolve`)}
            >
              {s('help.resolve')}
            </Button>
          )}
        </div>
      )}
      {participant === undefined ? (
        <Unheard lostAt={lostAt} cut={false} />
      ) : (
        <UnheardBy lostAt={lostAt} participant={participant} />
      )}
      <Progress person={id} name={name} />
      <div className="student-foot">
        <select
          aria-label={named(s('student.mode'), name)}
          data-testid="student-mode"
          value={mode}
          onChange={(event) => void run('/exercises/mode', { person: id, mode: event.target.value })}
        >
          <option value="teach">{s('student.teach')}</option>
          <option value="observe">{s('student.observe')}</option>
        </select>
        <AssignSelect person={id} name={name} />
        <span className="soft student-time">
          <PersonTimes person={id} />
        </span>
      </div>
    </li>
  );
}

/** How long the student has not heard the others, once it is worth repeating the last sentence. */
function Unheard({ lostAt, cut }: { lostAt: number | undefined; cut: boolean }) {
  const now = useServerNow();
  const [since, setSince] = useState<number>();
  const found = unheardSince(since, { lostAt, cut, now });
  if (found !== since) setSince(found);
  if (found === undefined || now - found < NOTABLE_S) return null;
  return (
    <p className="student-lost" data-testid="student-unheard">
      {s('student.unheard', { time: clock(now - found) })}
    </p>
  );
}

function Speaking({ participant }: { participant: Participant }) {
  const speaking = useIsSpeaking(participant);
  return <span className={speaking ? 'speaking-dot speaking-dot-on' : 'speaking-dot'} aria-hidden="true" />;
}

/** The same, with what the server reports about the connection of a participant. */
function UnheardBy({ lostAt, participant }: { lostAt: number | undefined; participant: Participant }) {
  const { attributes = {} } = useParticipantAttributes({ participant });
  const { quality } = useConnectionQualityIndicator({ participant });
  return <Unheard lostAt={lostAt} cut={linkState(linkOf(attributes), quality) === 'lost'} />;
}

/** The student's current exercise and its progress. */
function Progress({ person, name }: { person: string; name: string }) {
  const { exercises } = useLive().state;
  const work = exercises.works[person];
  if (work === undefined) return null;
  const title = exercises.titles.find(({ id }) => id === work.exercise)?.title ?? '';
  return (
    <div className="student-work" data-testid="student-work" data-status={work.status}>
      <p>
        <strong>{title}</strong>{' '}
        <span className="soft">{s(`exercise.${work.status}`, { progress: work.progress })}</span>
      </p>
      <progress max={100} value={work.progress} aria-label={named(s('exercise.progress'), name)} />
    </div>
  );
}

function AssignSelect({ person, name }: { person: string; name: string }) {
  const { state, run } = useLive();
  const { titles, works } = state.exercises;
  if (titles.length === 0) return null;
  return (
    <select
      aria-label={named(s('student.assign'), name)}
      data-testid="student-assign"
      value=""
      onChange={(event) => void run(`/exercises/${event.target.value}/assign`, { people: [person] })}
    >
      <option value="" disabled>
        {s('student.assign')}
      </option>
      {titles.map(({ id, title }) => (
        <option key={id} value={id} disabled={works[person]?.exercise === id}>
          {title}
        </option>
      ))}
    </select>
  );
}

function MessageDialog({ person, onClose }: { person: Person; onClose: () => void }) {
  const { run } = useLive();
  const [text, setText] = useState('');
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    if (text.trim() === '') return;
    if (await run('/chat', { text: text.trim(), scope: 'person', target: person.id })) onClose();
  };
  return (
    <Dialog title={named(s('student.message'), person.name)} testId="message-dialog" onClose={onClose}>
      <form className="fields" onSubmit={(event) => void submit(event)}>
        <TextField
          id="message"
          label={s('student.messageOnly', { name: person.name })}
          testId="message-text"
          maxLength={2000}
          value={text}
          onChange={setText}
        />
        <Button submit look="primary" testId="message-send">
          {t('action.send')}
        </Button>
      </form>
    </Dialog>
  );
}
