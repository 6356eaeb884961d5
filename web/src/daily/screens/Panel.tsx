import { useEffect, type ReactNode } from 'react';

import { Icon } from '../../ui/Icon';

interface PanelProps {
  title: string;
  testId: string;
  onClose: () => void;
  children: ReactNode;
}

/** What opens beside the pictures; over them on a phone. */
export function Panel({ title, testId, onClose, children }: PanelProps) {
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') onClose();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [onClose]);
  return (
    <aside className="sidebar card" aria-label={title} data-testid={testId}>
      <header className="sidebar-header">
        <h2>{title}</h2>
        <button type="button" className="bare" aria-label={`Close: ${title}`} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </aside>
  );
}
