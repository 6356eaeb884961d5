import { t } from '../../client/text/catalogue';
import { Button } from '../controls/Button';
import { Dialog } from './Dialog';

interface ConfirmProps {
  /** The question. */
  title: string;
  /** What happens then. */
  detail?: string;
  /** Label of the button that does it. */
  action: string;
  testId: string;
  confirmId: string;
  cancelId?: string;
  onConfirm: () => void;
  onCancel: () => void;
}

/** Asks before something that cannot be undone. The focus is on Cancel, so that a stray Enter does nothing. */
export function Confirm({
  title,
  detail,
  action,
  testId,
  confirmId,
  cancelId,
  onConfirm,
  onCancel,
}: ConfirmProps) {
  return (
    <Dialog title={title} testId={testId} role="alertdialog" onClose={onCancel}>
      {detail !== undefined && <p>{detail}</p>}
      <div className="actions">
        <Button look="danger" testId={confirmId} onPress={onConfirm}>
          {action}
        </Button>
        <Button firstFocus {...(cancelId !== undefined && { testId: cancelId })} onPress={onCancel}>
          {t('action.cancel')}
        </Button>
      </div>
    </Dialog>
  );
}
