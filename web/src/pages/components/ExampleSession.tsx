import { useState } from 'react';

import { PageFrame } from '../../teaching/PageFrame';
import { SessionRoom } from '../../teaching/live';
import { Sheet } from '../../teaching/report/Report';
import { useLanguage } from '../../ui/hooks/useLanguage';
import { exampleReport, exampleSession } from './exampleSession';

/** A session of made-up people, as the tutor or as a student, with one of its panels. */
export function ExampleSession({
  people,
  tutor,
  panel,
  scene,
}: {
  people: number;
  tutor: boolean;
  panel: string | null;
  /** `slides` or `whiteboard`, which is large then. */
  scene: string | null;
}) {
  useLanguage();
  const [wire] = useState(() => exampleSession(people, tutor, scene));
  return (
    <SessionRoom
      wire={wire}
      name="Tia"
      sending={{ camera: false, microphone: false }}
      panel={panel}
      onEnd={() => undefined}
      onDevice={() => undefined}
    />
  );
}

/** A report of such a session. */
export function ExampleReport() {
  useLanguage();
  return (
    <PageFrame name="Tia" onSignOut={() => undefined}>
      <div className="report">
        <Sheet content={exampleReport()} onSave={() => undefined} />
      </div>
    </PageFrame>
  );
}
