import { useLocalParticipant, useParticipantAttributes } from '@livekit/components-react';
import type { Room } from 'livekit-client';
import { useEffect, useState } from 'react';

import { t } from '../../client/text/catalogue';
import { ejectAtMs } from '../call/people';

// As on Daily's own page.
const ANNOUNCED_MS = 5 * 60_000;

/** Minutes and seconds left, such as `4:59`; undefined before the last five minutes. */
export function remaining(ms: number): string | undefined {
  if (ms > ANNOUNCED_MS) return undefined;
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** How long the user may stay, shown in the last minutes. */
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
      {t('notice.countdown')} <strong>{left}</strong>
    </p>
  );
}
