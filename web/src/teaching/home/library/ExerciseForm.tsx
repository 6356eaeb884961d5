import { useState, type SyntheticEvent } from 'react';

import { Problem } from '../../../client/classroom/call';
import {
  isLink,
  library,
  type Exercise,
  type LibraryFile,
  type StoredExercise,
} from '../../../client/classroom/school/library';
import { ACCEPTED } from '../../../client/classroom/uploads';
import { bytes, t } from '../../../client/text/catalogue';
import { p } from '../../../client/text/planning/texts';
import { s } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { FileButton } from '../../../ui/controls/FileButton';
import { TextField } from '../../../ui/controls/TextField';
import { UploadState } from '../../panels/UploadState';
import { useUpload } from '../../panels/useUpload';
import { saveBlob } from '../../saveBlob';
import { CardProblem } from '../account/CardProblem';
import { useAttempt, type CardProps } from '../account/useAttempt';

interface ExerciseFormProps extends CardProps {
  exercise: Exercise | StoredExercise;
  files: readonly LibraryFile[];
  onSaved: (title: string) => Promise<void>;
  onCancel: () => void;
}

/** Writes a new exercise, or the next version of a stored one. */
export function ExerciseForm({ caller, onSignedOut, exercise, files, onSaved, onCancel }: ExerciseFormProps) {
  const [fields, setFields] = useState(exercise);
  // Files that were sent from this form, which no exercise names yet.
  const [sent, setSent] = useState<readonly LibraryFile[]>([]);
  const { attempt, busy, problem, setProblem } = useAttempt(onSignedOut);
  const {
    upload,
    problem: uploadProblem,
    start,
    cancel,
  } = useUpload(async (file, watcher) => {
    const added = await library.sendFile(caller, file, watcher);
    setSent((before) => [...before, added]);
    setFields((before) => ({ ...before, file: added.id }));
  });
  const change = (changed: Partial<Exercise>): void => setFields({ ...fields, ...changed });
  const attached = [...sent, ...files].find(({ id }) => id === fields.file);
  /** Delete what is no longer named: the files that were sent here, and the one that the stored version has. */
  const drop = async (kept: string): Promise<void> => {
    const known = new Set(files.map(({ id }) => id));
    const before = known.has(exercise.file) ? [exercise.file] : [];
    const gone = [...sent.map(({ id }) => id), ...before].filter((id) => id !== kept);
    for (const id of gone) await library.dropFile(caller, id);
  };
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (!isLink(fields.link)) {
      setProblem(p('library.badLink'));
      return;
    }
    let refusal = '';
    void attempt(async () => {
      try {
        if ('id' in fields) await library.change(caller, fields);
        else await library.add(caller, fields);
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'changed_meanwhile') throw error;
        refusal = p('library.changed');
        return;
      }
      await drop(fields.file);
      await onSaved(fields.title.trim());
    }).then(() => {
      if (refusal !== '') setProblem(refusal);
    });
  };
  const leave = (): void => {
    void attempt(() => drop(exercise.file)).finally(onCancel);
  };
  return (
    <form className="card fields" onSubmit={submit} noValidate data-testid="exercise-form">
      <h2>{p('id' in fields ? 'library.editing' : 'library.new')}</h2>
      <TextField
        id="item-title"
        label={p('library.name')}
        maxLength={200}
        value={fields.title}
        onChange={(title) => change({ title })}
      />
      <TextField
        id="item-text"
        label={p('library.text')}
        rows={5}
        maxLength={8000}
        value={fields.text}
        onChange={(text) => change({ text })}
      />
      <TextField
        id="item-link"
        label={p('library.address')}
        type="url"
        maxLength={2000}
        value={fields.link}
        onChange={(link) => change({ link })}
      />
      {attached !== undefined && (
        <div className="actions" data-testid="item-file">
          <p>
            {p('library.file', { name: attached.name })} <span className="soft">{bytes(attached.size)}</span>
          </p>
          <Button
            look="quiet"
            testId="item-file-load"
            onPress={() =>
              void attempt(async () => saveBlob(await library.loadFile(caller, attached.id), attached.name))
            }
          >
            {p('library.load')}
          </Button>
          <Button look="quiet" testId="item-file-remove" onPress={() => change({ file: '' })}>
            {p('library.detach')}
          </Button>
        </div>
      )}
      <FileButton
        icon="link"
        accept={ACCEPTED}
        testId="item-attach"
        disabled={upload !== undefined || busy}
        onFile={start}
      >
        {p(attached === undefined ? 'library.attach' : 'library.replace')}
      </FileButton>
      <p className="soft">{s('files.limits')}</p>
      <UploadState
        upload={upload}
        finishing={(name) => p('library.checking', { name })}
        problem={uploadProblem}
        onCancel={cancel}
      />
      <CardProblem problem={problem} testId="item-problem" />
      <div className="actions">
        <Button
          submit
          look="primary"
          testId="item-save"
          disabled={busy || upload !== undefined || fields.title.trim() === ''}
        >
          {p('library.save')}
        </Button>
        <Button look="quiet" testId="item-cancel" disabled={busy} onPress={leave}>
          {t('action.cancel')}
        </Button>
      </div>
    </form>
  );
}
