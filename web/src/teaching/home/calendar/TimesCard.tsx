import '../../../styles/account.css';
import '../../../styles/planning.css';

import { lazy, Suspense, useState } from 'react';

import type { Caller } from '../../../client/classroom/call';
import { p } from '../../../client/text/planning/texts';
import { Button } from '../../../ui/controls/Button';

// Most visits to the home page change no times.
const HoursCard = lazy(async () => ({ default: (await import('../account/HoursCard')).HoursCard }));

interface TimesCardProps {
  caller: Caller;
  person: string;
  onSignedOut: () => void;
}

/** When a student has time, for the planning of lessons. */
export function TimesCard({ caller, person, onSignedOut }: TimesCardProps) {
  const [open, setOpen] = useState(false);
  if (!open) {
    return (
      <section className="card fields" data-testid="times">
        <h2>{p('times.title')}</h2>
        <p className="soft">{p('times.explain')}</p>
        <Button testId="times-open" onPress={() => setOpen(true)}>
          {p('times.set')}
        </Button>
      </section>
    );
  }
  return (
    <Suspense fallback={<div className="progress" aria-hidden="true" />}>
      <HoursCard caller={caller} person={person} bookable={false} onSignedOut={onSignedOut} />
    </Suspense>
  );
}
