import { useEffect, useRef, type ReactNode } from 'react';

import { Logo } from './Logo';

/** A whole page with one message, which takes the focus: what had it before is gone. */
export function Message({ title, testId, children }: { title: string; testId: string; children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (document.hasFocus()) heading.current?.focus();
  }, []);
  return (
    <main className="message" data-testid={testId}>
      <Logo />
      <section className="card">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {children}
      </section>
    </main>
  );
}
