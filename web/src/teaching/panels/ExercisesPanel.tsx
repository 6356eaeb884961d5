import { useEffect, useState, type SyntheticEvent } from 'react';

import { pathOf } from '../../client/classroom/sessions';
import type { Mine } from '../../client/classroom/live/work/exercises';
import { nameOf } from '../../client/classroom/live/state';
import { ACCEPTED, sendFile } from '../../client/classroom/uploads';
import { fieldsOf, textOf, textsOf, type Fields } from '../../client/json';
import { p } from '../../client/text/planning/texts';
import { named, s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { FileButton } from '../../ui/controls/FileButton';
import { TEACHING } from '../../ui/controls/teachingIcons';
import { TextField } from '../../ui/controls/TextField';
import { Panel } from '../../ui/surfaces/Panel';
import { useLive } from '../live/context';
import { ExerciseMaterial } from './ExerciseMaterial';
import { FromLibrary } from './FromLibrary';
import { UploadState } from './UploadState';
import { useUpload } from './useUpload';

/** For staff all exercises and the answers to them; for students their own. */
export function ExercisesPanel({ onClose }: { onClose: () => void }) {
  const { state, staff, tutor } = useLive();
  const { titles, mine } = state.exercises;
  return (
    <Panel title={s('panel.exercises')} testId="exercises-panel" onClose={onClose}>
      {/* Reachable by keyboard, because it scrolls. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above; axe demands it */}
      <div className="panel-scroll" tabIndex={0} role="group" aria-label={s('panel.exercises')}>
        {staff && <NewExercise />}
        {tutor && <FromLibrary />}
        {staff && titles.length === 0 && <p className="soft">{s('exercise.none')}</p>}
        {!staff && mine.length === 0 && <p className="soft">{s('exercise.noneStudent')}</p>}
        <ul className="panel-list">
          {staff
            ? titles.map(({ id, title }) => <Given key={id} id={id} title={title} />)
            : mine.map((work) => <Own key={work.exercise} work={work} />)}
        </ul>
      </div>
    </Panel>
  );
}

function NewExercise() {
  const { session, wire } = useLive();
  const [title, setTitle] = useState('');
  const [text, setText] = useState('');
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    if (title.trim() === '') return;
    const id = `ex-${crypto.randomUUID()}`;
    const done = await wire.run(async () => {
      await session.command('/exercises', { exercise: { id, title: title.trim(), text: text.trim() } });
      await session.command(`/exercises/${id}/assign`);
    });
    if (!done) return;
    setTitle('');
    setText('');
  };
  return (
    <details className="new-item">
      <summary data-testid="exercise-new">{s('exercise.new')}</summary>
      <form className="fields" onSubmit={(event) => void submit(event)}>
        <TextField
          id="exercise-title"
          label={s('exercise.title')}
          maxLength={200}
          value={title}
          onChange={setTitle}
        />
        <TextField
          id="exercise-text"
          label={s('exercise.text')}
          rows={3}
          maxLength={5000}
          value={text}
          onChange={setText}
        />
        <Button submit look="primary" testId="exercise-assign" disabled={title.trim() === ''}>
          {s('exercise.assignAll')}
        </Button>
      </form>
    </details>
  );
}

/** Details of an exercise that are not in the state; loaded again when `revision` changes. */
function useDetail(id: string, revision: string): Fields | undefined {
  const { session } = useLive();
  const [detail, setDetail] = useState<Fields>();
  useEffect(() => {
    let current = true;
    session.caller
      .get(`${pathOf(session.id)}/exercises/${id}`)
      .then((fields) => {
        if (current) setDetail(fields);
      })
      .catch(() => undefined);
    return () => {
      current = false;
    };
  }, [session, id, revision]);
  return detail;
}

/** An exercise in the view of staff, with the answers that wait for them. */
function Given({ id, title }: { id: string; title: string }) {
  const { state } = useLive();
  const works = Object.entries(state.exercises.works).filter(([, work]) => work.exercise === id);
  const submitted = works.filter(([, { status }]) => status === 'submitted');
  return (
    <li className="panel-item" data-testid="exercise">
      <p className="item-title">{title}</p>
      {works.map(([person, { status, progress }]) => (
        <p key={person} className="soft">
          {nameOf(state, person)}: {s(`exercise.${status}`, { progress })}
        </p>
      ))}
      {submitted.length > 0 && <Answers id={id} people={submitted.map(([person]) => person)} />}
    </li>
  );
}

function Answers({ id, people }: { id: string; people: readonly string[] }) {
  const { state, run } = useLive();
  const works = fieldsOf(useDetail(id, people.join())?.['works']);
  const [note, setNote] = useState('');
  return people.map((person) => {
    const name = nameOf(state, person);
    const text = textOf(fieldsOf(works[person])['text']);
    const judge = (verdict: 'accept' | 'give-back'): void => {
      void run(`/exercises/${id}/${verdict}`, { person, note: note.trim() });
      setNote('');
    };
    return (
      <div key={person} className="fields" data-testid="exercise-answer">
        <p>
          <strong>{name}</strong>
        </p>
        <p className="answer">{text === '' ? s('exercise.emptyAnswer') : text}</p>
        {textsOf(fieldsOf(works[person])['files']).map((file) => (
          <ExerciseMaterial key={file} link="" file={file} />
        ))}
        <TextField
          id={`note-${person}`}
          label={s('exercise.noteLabel')}
          maxLength={1000}
          value={note}
          onChange={setNote}
        />
        <div className="actions">
          <Button
            look="primary"
            testId="exercise-accept"
            label={named(s('exercise.accept'), name)}
            onPress={() => judge('accept')}
          >
            {s('exercise.accept')}
          </Button>
          <Button
            look="quiet"
            testId="exercise-give-back"
            label={named(s('exercise.giveBack'), name)}
            onPress={() => judge('give-back')}
          >
            {s('exercise.giveBack')}
          </Button>
        </div>
      </div>
    );
  });
}

const STEPS = [0, 25, 50, 75, 100];
// As in `classroom/limits.py`.
const MOST_FILES = 10;

/** An exercise in the view of the student it is assigned to. */
function Own({ work }: { work: Mine }) {
  const { me, run, session } = useLive();
  const { exercise, title, status, progress } = work;
  const [text, setText] = useState('');
  const [files, setFiles] = useState<readonly { id: string; name: string }[]>([]);
  const { upload, problem, start, cancel } = useUpload(async (file, watcher) => {
    const id = await sendFile(session, file, true, watcher);
    setFiles((before) => [...before, { id, name: file.name }]);
  });
  const answered = text.trim() !== '' || files.length > 0;
  const detail = useDetail(exercise, status);
  const given = fieldsOf(detail?.['exercise']);
  const note = textOf(fieldsOf(fieldsOf(detail?.['works'])[me])['note']);
  const open = status !== 'submitted' && status !== 'done';
  return (
    <li className="panel-item" data-testid="exercise" data-status={status}>
      <p className="item-title">{title}</p>
      <p className="soft">{s(`exercise.${status}`, { progress })}</p>
      {textOf(given['text']) !== '' && <p className="exercise-text">{textOf(given['text'])}</p>}
      <ExerciseMaterial link={textOf(given['link'])} file={textOf(given['file'])} />
      {note !== '' && <p className="answer">{s('exercise.note', { note })}</p>}
      {open && (
        <form
          className="fields"
          onSubmit={(event) => {
            event.preventDefault();
            if (!answered) return;
            const answer = { text: text.trim(), files: files.map(({ id }) => id) };
            void run(`/exercises/${exercise}/submit`, answer).then((done) => {
              if (done) setFiles([]);
            });
          }}
        >
          <fieldset className="choices-row">
            <legend>{s('exercise.progress')}</legend>
            {STEPS.map((step) => (
              <label key={step} className="choice">
                <input
                  type="radio"
                  name={`progress-${exercise}`}
                  data-testid="exercise-progress"
                  checked={progress === step && status === 'working'}
                  onChange={() => void run(`/exercises/${exercise}/report`, { progress: step })}
                />
                {s('exercise.percent', { progress: step })}
              </label>
            ))}
          </fieldset>
          <TextField
            id={`answer-${exercise}`}
            label={s('exercise.answer')}
            testId="exercise-own-answer"
            rows={3}
            maxLength={5000}
            value={text}
            onChange={setText}
          />
          {files.map(({ id, name }) => (
            <p key={id} data-testid="exercise-answer-file">
              {p('library.file', { name })}
            </p>
          ))}
          <FileButton
            icon={TEACHING.add}
            accept={ACCEPTED}
            look="quiet"
            testId="exercise-attach"
            disabled={upload !== undefined || files.length >= MOST_FILES}
            onFile={start}
          >
            {p('library.attach')}
          </FileButton>
          <UploadState
            upload={upload}
            finishing={(name) => p('library.checking', { name })}
            problem={problem}
            onCancel={cancel}
          />
          <Button submit look="primary" testId="exercise-submit" disabled={!answered || upload !== undefined}>
            {s('exercise.submit')}
          </Button>
        </form>
      )}
    </li>
  );
}
