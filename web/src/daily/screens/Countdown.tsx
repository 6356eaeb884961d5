import { useParticipantAttributes, useLocalParticipant } from '@livekit/components-react';
import type { Room } from 'livekit-client';
import { useEffect, useState } from 'react';

import { ejectAtMs } from '../call/people';
import { remaining } from './remaining';

/** How long one may stay, in the last minutes. */
export function Countdown({ room }: { room: Room }) {
  const { localParticipant } = useLocalParticipant({ room });
  useParticipantAttributes({ participant: localParticipant });
  const at = ejectAtMs(localParticipant);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (at === undefined) return undefined;
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, [at]);
  const left = at === undefined ? undefined : remaining(at - now);
  if (left === undefined) return null;
  return (
    <p className="notice countdown" role="timer" data-testid="countdown">
      The meeting ends in <strong>{left}</strong>
    </p>
  );
}
