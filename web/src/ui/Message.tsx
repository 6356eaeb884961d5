import type { ReactNode } from 'react';

import { Logo } from './Logo';

/** A whole page with one message. */
export function Message({ title, testId, children }: { title: string; testId: string; children: ReactNode }) {
  return (
    <main className="message" data-testid={testId}>
      <Logo />
      <section className="card">
        <h1>{title}</h1>
        {children}
      </section>
    </main>
  );
}
