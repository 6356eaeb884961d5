import { useCallback, useEffect, useState } from 'react';

import type { Caller } from '../../client/classroom/call';

/** The properties of each part of the administration. */
export interface AdminProps {
  caller: Caller;
  /** Run an action; a failure is shown to the user. */
  attempt: (call: () => Promise<void>) => Promise<void>;
}

/** The result of `load`, loaded at once and after `again`; undefined before the first. `load` has to be stable. */
export function useLoaded<T>(load: () => Promise<T>, attempt: AdminProps['attempt']) {
  const [value, setValue] = useState<T>();
  const again = useCallback(() => attempt(async () => setValue(await load())), [attempt, load]);
  useEffect(() => {
    const first = window.setTimeout(() => void again());
    return () => window.clearTimeout(first);
  }, [again]);
  return { value, again };
}
