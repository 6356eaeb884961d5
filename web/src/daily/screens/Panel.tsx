import type { ReactNode } from 'react';

import { Icon } from '../../ui/Icon';
import { useEscape } from '../../ui/useEscape';

interface PanelProps {
  title: string;
  testId: string;
  onClose: () => void;
  children: ReactNode;
}

/** A panel beside the tiles; on a phone it covers them. */
export function Panel({ title, testId, onClose, children }: PanelProps) {
  useEscape(onClose);
  return (
    <aside className="sidebar card" aria-label={title} data-testid={testId}>
      <header className="sidebar-header">
        <h2>{title}</h2>
        <button type="button" className="bare" aria-label={`Close ${title}`} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </aside>
  );
}
