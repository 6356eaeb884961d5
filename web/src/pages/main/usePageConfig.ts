import { useCallback, useEffect, useState } from 'react';

import { fetchConfig, type PageConfig } from '../../client/server';

/** How the server is set up: undefined until it answered, `gone` when it did not; and a way to ask again. */
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
