import type { ReactNode } from 'react';
import { Dialog as AriaDialog } from 'react-aria-components/Dialog';
import { Heading } from 'react-aria-components/Heading';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';

import { t } from '../../client/text/catalogue';
import { IconButton } from '../controls/IconButton';

interface DialogProps {
  title: string;
  testId: string;
  /** `alertdialog` for a question that interrupts. */
  role?: 'dialog' | 'alertdialog';
  onClose: () => void;
  children: ReactNode;
}

/** A dialog above the page. It is open while it is rendered; Escape and a press outside close it. */
export function Dialog({ title, testId, role = 'dialog', onClose, children }: DialogProps) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen
      isDismissable={role === 'dialog'}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Modal className="dialog card">
        <AriaDialog role={role} className="dialog-content" data-testid={testId}>
          <header className="dialog-header">
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            <IconButton look="bare" icon="close" label={t('action.close')} onPress={onClose} />
          </header>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
