import { useEffect } from 'react';

import { returnDelayMs } from '../../client/returning';

/** Join again after a while, as long as `attempt` is a number. The browser's word that it is online again shortens the wait. */
export function useReturn(attempt: number | undefined, join: () => void, giveUp: () => void): void {
  useEffect(() => {
    if (attempt === undefined) return undefined;
    const delay = returnDelayMs(attempt, Math.random());
    if (delay === undefined) {
      giveUp();
      return undefined;
    }
    const timer = window.setTimeout(join, delay);
    window.addEventListener('online', join);
    return () => {
      window.clearTimeout(timer);
      window.removeEventListener('online', join);
    };
    // Each attempt waits once; the functions are new at each rendering.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [attempt]);
}
