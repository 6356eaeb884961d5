import { useCallback, useEffect, useState } from 'react';

import { fetchConfig, type PageConfig } from '../../client/server/server';

/** The server's configuration, and a function that requests it again. Undefined until the server has responded. */
export function usePageConfig(): [PageConfig | 'unreachable' | undefined, () => void] {
  const [config, setConfig] = useState<PageConfig | 'unreachable'>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let current = true;
    void fetchConfig()
      .catch(() => 'unreachable' as const)
      .then((answer) => {
        if (current) setConfig(answer);
      });
    return () => {
      current = false;
    };
  }, [attempt]);
  return [config, useCallback(() => setAttempt((count) => count + 1), [])];
}
