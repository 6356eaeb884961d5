import { useCallback, useEffect, useState } from 'react';

// Other people change this data, too.
const EVERY_MS = 20_000;

/** The result of `load`, repeated from time to time and after `again`; undefined before the first. `load` has to be stable. */
export function usePolled<T>(load: () => Promise<T>, everyMs = EVERY_MS) {
  const [value, setValue] = useState<T>();
  const again = useCallback(
    () =>
      load()
        .then(setValue)
        // The list of sessions reports problems with the connection or the sign-in.
        .catch(() => undefined),
    [load],
  );
  useEffect(() => {
    const first = window.setTimeout(() => void again());
    const timer = window.setInterval(() => void again(), everyMs);
    return () => {
      window.clearTimeout(first);
      window.clearInterval(timer);
    };
  }, [again, everyMs]);
  return { value, again };
}
