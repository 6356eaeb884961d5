import { t } from '../../client/text/catalogue';
import { s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import type { Upload } from './useUpload';

interface UploadStateProps {
  upload: Upload | undefined;
  /** What the server does with a file that has arrived. */
  finishing: (name: string) => string;
  problem: string;
  onCancel: () => void;
}

/** The progress of an upload with a button that cancels it, or why it failed. */
export function UploadState({ upload, finishing, problem, onCancel }: UploadStateProps) {
  const sending = upload !== undefined && upload.sent < 1;
  return (
    <>
      {/* Read out once at the start and once when the file has arrived, not at each step. */}
      <p className="soft" role="status" data-testid="upload-busy">
        {upload !== undefined &&
          (sending ? s('files.sending', { name: upload.name }) : finishing(upload.name))}
      </p>
      {sending && (
        <div className="upload-progress">
          <progress
            max={100}
            value={Math.floor(upload.sent * 100)}
            aria-label={s('files.sending', { name: upload.name })}
            data-testid="upload-progress"
          />
          <span aria-hidden="true">{Math.floor(upload.sent * 100)} %</span>
          <Button look="quiet" testId="upload-cancel" onPress={onCancel}>
            {t('action.cancel')}
          </Button>
        </div>
      )}
      {upload !== undefined && !sending && <div className="progress" aria-hidden="true" />}
      {problem !== '' && (
        <p role="alert" className="problem" data-testid="upload-problem">
          {problem}
        </p>
      )}
    </>
  );
}
