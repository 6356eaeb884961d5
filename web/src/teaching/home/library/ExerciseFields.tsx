import type { ExerciseItem, LibraryFile } from '../../../client/classroom/school/library';
import type { Watcher } from '../../../client/classroom/sendBody';
import { ACCEPTED } from '../../../client/classroom/uploads';
import { bytes } from '../../../client/text/catalogue';
import { p } from '../../../client/text/planning/texts';
import { s } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { FileButton } from '../../../ui/controls/FileButton';
import { TextField } from '../../../ui/controls/TextField';
import { UploadState } from '../../panels/UploadState';
import { useUpload } from '../../panels/useUpload';

interface ExerciseFieldsProps {
  /** Begins the ids of the fields. */
  id: string;
  exercise: ExerciseItem;
  /** The file that the exercise names. */
  attached: LibraryFile | undefined;
  busy: boolean;
  onChange: (exercise: ExerciseItem) => void;
  /** Send a file and attach it. */
  onAttach: (file: File, watcher: Watcher) => Promise<void>;
  onLoad: (file: LibraryFile) => void;
}

/** The fields of an exercise: title, text, link and file. */
export function ExerciseFields(props: ExerciseFieldsProps) {
  const { id, exercise, attached, busy, onChange, onAttach, onLoad } = props;
  const { upload, problem, start, cancel } = useUpload(onAttach);
  const change = (changed: Partial<ExerciseItem>): void => onChange({ ...exercise, ...changed });
  return (
    <>
      <TextField
        id={`${id}-title`}
        label={p('library.name')}
        maxLength={200}
        value={exercise.title}
        onChange={(title) => change({ title })}
      />
      <TextField
        id={`${id}-text`}
        label={p('library.text')}
        rows={5}
        maxLength={8000}
        value={exercise.text}
        onChange={(text) => change({ text })}
      />
      <TextField
        id={`${id}-link`}
        label={p('library.address')}
        type="url"
        maxLength={2000}
        value={exercise.link}
        onChange={(link) => change({ link })}
      />
      {attached !== undefined && (
        <div className="actions" data-testid={`${id}-file`}>
          <p>
            {p('library.file', { name: attached.name })} <span className="soft">{bytes(attached.size)}</span>
          </p>
          <Button look="quiet" testId={`${id}-file-load`} onPress={() => onLoad(attached)}>
            {p('library.load')}
          </Button>
          <Button look="quiet" testId={`${id}-file-remove`} onPress={() => change({ file: '' })}>
            {p('library.detach')}
          </Button>
        </div>
      )}
      <FileButton
        icon="link"
        accept={ACCEPTED}
        testId={`${id}-attach`}
        disabled={busy || upload !== undefined}
        onFile={start}
      >
        {p(attached === undefined ? 'library.attach' : 'library.replace')}
      </FileButton>
      <p className="soft">{s('files.limits')}</p>
      <UploadState
        upload={upload}
        finishing={(name) => p('library.checking', { name })}
        problem={problem}
        onCancel={cancel}
      />
    </>
  );
}
