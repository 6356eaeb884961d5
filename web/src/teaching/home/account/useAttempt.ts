import { useCallback, useState } from 'react';

import { accountProblem } from '../../../client/classroom/account';
import type { Caller } from '../../../client/classroom/call';

/** The properties of each card of the account page. */
export interface CardProps {
  caller: Caller;
  onSignedOut: () => void;
}

/** Runs the calls of one card, one at a time; `problem` says why the last one failed. */
export function useAttempt(onSignedOut: () => void) {
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const attempt = useCallback(
    async (call: () => Promise<void>): Promise<void> => {
      setBusy(true);
      setProblem('');
      try {
        await call();
      } catch (error) {
        const words = accountProblem(error);
        if (words === undefined) onSignedOut();
        else setProblem(words);
      }
      setBusy(false);
    },
    [onSignedOut],
  );
  return { attempt, busy, problem, setProblem };
}
