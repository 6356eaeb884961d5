import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react';

import { captions } from '../../client/classroom/live/captions';
import { s } from '../../client/text/sessions/texts';
import type { MenuEntry } from '../../ui/controls/Menu';
import { TEACHING } from '../../ui/controls/teachingIcons';
import type { Live } from '../live/context';

const CaptionLines = lazy(async () => ({ default: (await import('./CaptionLines')).CaptionLines }));

/** The entries of the menu for live captions, and the captions while the user has turned them on. */
export function useCaptions({ session, state, tutor, wire }: Live): {
  entries: MenuEntry[];
  lines: ReactNode;
} {
  const [available, setAvailable] = useState(false);
  const [wanted, setWanted] = useState(false);
  const allowed = state.lifecycle.captions;
  useEffect(() => {
    // A server that does not answer this has no captions.
    captions.state(session.caller, session.id).then(
      (found) => {
        setAvailable(found.available);
        setWanted(found.on);
      },
      () => setAvailable(false),
    );
  }, [session]);
  const on = wanted && allowed;
  const turn = (next: boolean): void =>
    void wire
      .run(() => captions.turn(session.caller, session.id, next))
      .then((done) => {
        if (done) setWanted(next);
      });
  const allow = (next: boolean): void => {
    if (!next) setWanted(false);
    void wire.run(() => captions.allow(session.caller, session.id, next));
  };
  const entries: (MenuEntry | false)[] = [
    allowed && {
      id: 'captions',
      icon: TEACHING.captions,
      label: s(on ? 'captions.off' : 'captions.on'),
      onAction: () => turn(!on),
    },
    tutor && {
      id: 'captions-allow',
      icon: TEACHING.captions,
      label: s(allowed ? 'captions.forbid' : 'captions.allow'),
      onAction: () => allow(!allowed),
    },
  ];
  return {
    entries: available ? entries.filter((entry) => entry !== false) : [],
    lines: on && (
      <Suspense>
        <CaptionLines />
      </Suspense>
    ),
  };
}
