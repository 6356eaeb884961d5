import type { ReactNode } from 'react';

/** A frame in which a table wider than the screen scrolls. Reachable by keyboard, because it scrolls. */
export function TableScroll({ label, children }: { label: string; children: ReactNode }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above; axe demands it
    <div className="table-scroll" tabIndex={0} role="group" aria-label={label}>
      {children}
    </div>
  );
}
