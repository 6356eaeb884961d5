import { useEffect, useRef, type ReactNode } from 'react';

import { t } from '../../client/text/catalogue';
import { IconButton } from '../controls/IconButton';
import { useEscape } from '../hooks/useEscape';

interface PanelProps {
  title: string;
  testId: string;
  onClose: () => void;
  children: ReactNode;
}

/** A panel beside the tiles; on a phone it covers them. It takes the focus when it opens and returns it at its end. */
export function Panel({ title, testId, onClose, children }: PanelProps) {
  useEscape(onClose);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    // A panel that an application opened in a frame without focus must not take the focus from the application.
    if (document.hasFocus()) heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <aside className="sidebar card" aria-label={title} data-testid={testId}>
      <header className="sidebar-header">
        <h2 ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <IconButton
          look="bare"
          icon="close"
          label={t('action.closePanel', { panel: title })}
          onPress={onClose}
        />
      </header>
      {children}
    </aside>
  );
}
