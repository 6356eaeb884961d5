import { useEffect, useState } from 'react';

/** The whole page in full screen; undefined if the browser does not support it (iPhones). */
export function useFullscreen(): { on: boolean; toggle: () => void } | undefined {
  const [on, setOn] = useState(() => document.fullscreenElement !== null);
  useEffect(() => {
    const update = (): void => setOn(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', update);
    return () => document.removeEventListener('fullscreenchange', update);
  }, []);
  if (!document.fullscreenEnabled) return undefined;
  return {
    on,
    toggle: () => {
      const change = on ? document.exitFullscreen() : document.documentElement.requestFullscreen();
      void change.catch(() => undefined);
    },
  };
}
