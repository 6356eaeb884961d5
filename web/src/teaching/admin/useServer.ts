import { useEffect, useState } from 'react';

import { addSample, server, type Sample, type ServerNow } from '../../client/admin/server';
import { Problem, type Caller } from '../../client/classroom/call';

// Workers report their figures once a second.
const EVERY_MS = 5000;
/** Five minutes. */
export const SAMPLES = 60;

interface Watched {
  now: ServerNow | undefined;
  samples: Sample[];
  /** Whether the caller is no operator of the server; undefined before the first answer. */
  refused: boolean | undefined;
}

/** The server now, and its last minutes as long as the page is open. */
export function useServer(caller: Caller): Watched {
  const [watched, setWatched] = useState<Watched>({ now: undefined, samples: [], refused: undefined });
  useEffect(() => {
    let timer: number | undefined;
    let current = true;
    const look = async (): Promise<void> => {
      try {
        const now = await server.now(caller);
        if (!current) return;
        setWatched((before) => ({
          now,
          samples: addSample(before.samples, before.now, now, SAMPLES),
          refused: false,
        }));
      } catch (error) {
        if (!current) return;
        if (error instanceof Problem && error.status === 403) {
          setWatched({ now: undefined, samples: [], refused: true });
          return;
        }
      }
      timer = window.setTimeout(() => void look(), EVERY_MS);
    };
    void look();
    return () => {
      current = false;
      window.clearTimeout(timer);
    };
  }, [caller]);
  return watched;
}
