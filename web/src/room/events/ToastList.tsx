import { useEffect } from 'react';

import { t } from '../../client/text/catalogue';
import { IconButton } from '../../ui/controls/IconButton';
import { useStore } from '../../ui/hooks/useStore';
import { shownMs, type Toast, type Toasts } from './toasts';

/** The messages, above the controls. They lie over the pictures, so that nothing moves when they appear or disappear. */
export function ToastList({ toasts }: { toasts: Toasts }) {
  const { items } = useStore(toasts.state);
  return (
    <div className="toasts">
      {/* Screen readers read what is added to a region that was there before. */}
      <div role="status" aria-live="polite" aria-relevant="additions" data-testid="toasts">
        {items
          .filter(({ important }) => !important)
          .map((toast) => (
            <ToastItem key={toast.id} toast={toast} toasts={toasts} />
          ))}
      </div>
      <div role="alert" aria-relevant="additions" data-testid="alerts">
        {items
          .filter(({ important }) => important)
          .map((toast) => (
            <ToastItem key={toast.id} toast={toast} toasts={toasts} />
          ))}
      </div>
    </div>
  );
}

function ToastItem({ toast, toasts }: { toast: Toast; toasts: Toasts }) {
  useEffect(() => {
    const timer = window.setTimeout(() => toasts.dismiss(toast.id), shownMs(toast));
    return () => window.clearTimeout(timer);
  }, [toast, toasts]);
  return (
    <div className={toast.important ? 'toast toast-important' : 'toast'} data-testid="toast">
      <p>{toast.text}</p>
      {toast.important && (
        <IconButton
          look="bare"
          icon="close"
          label={t('action.closeMessage')}
          onPress={() => toasts.dismiss(toast.id)}
        />
      )}
    </div>
  );
}
