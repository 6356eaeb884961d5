import '../../styles/captions.css';

import { useEffect, useState } from 'react';

import { applyCaption, NO_CAPTIONS, withoutOld } from '../../client/classroom/live/captions';
import { nameOf } from '../../client/classroom/live/state';
import { s } from '../../client/text/sessions/texts';
import { useLive } from '../live/context';

const CLEAN_MS = 1000;

/** What people say, below the pictures; loaded when the user turns captions on. */
export function CaptionLines() {
  const { session, state } = useLive();
  const [captions, setCaptions] = useState(NO_CAPTIONS);
  useEffect(() => {
    const stop = session.onCaptions((message) =>
      setCaptions((before) => applyCaption(before, message, Date.now())),
    );
    const timer = window.setInterval(() => setCaptions((before) => withoutOld(before, Date.now())), CLEAN_MS);
    return () => {
      stop();
      window.clearInterval(timer);
    };
  }, [session]);
  return (
    <div className="captions" data-testid="captions">
      {captions.behind && (
        <p className="captions-behind" role="status" data-testid="captions-behind">
          {s('captions.behind')}
        </p>
      )}
      {captions.lines.map(({ id, person, text, tail }) => (
        <p key={id} data-testid="caption" data-person={person}>
          <b>{nameOf(state, person)}</b> {text} <span className="captions-tail">{tail}</span>
        </p>
      ))}
    </div>
  );
}
