import { useEffect, useRef, useState } from 'react';

import { CancelledError, type Watcher } from '../../client/classroom/sendBody';
import { refusalOf } from '../../client/classroom/uploads';
import { problemWords } from '../../client/classroom/words';
import { s } from '../../client/text/sessions/texts';

const REFUSALS = { type: 'files.badType', large: 'files.tooLarge', image: 'files.imageTooLarge' } as const;

/** The file that is being sent. */
export interface Upload {
  name: string;
  /** The share that was sent, from 0 to 1. The server may work on the file after all of it was sent. */
  sent: number;
}

/** Sends files one at a time, reports the state, and can cancel. */
export function useUpload(send: (file: File, watcher: Watcher) => Promise<void>) {
  const [upload, setUpload] = useState<Upload>();
  const [problem, setProblem] = useState('');
  const canceller = useRef<AbortController>(undefined);
  // A panel that is closed cancels nothing, but its state must not be written any more.
  const open = useRef(true);
  useEffect(() => {
    open.current = true;
    return () => {
      open.current = false;
    };
  }, []);
  const start = async (file: File): Promise<void> => {
    const refusal = refusalOf(file);
    if (refusal !== undefined) {
      setProblem(s(REFUSALS[refusal], { name: file.name }));
      return;
    }
    const own = new AbortController();
    canceller.current = own;
    const show = (sent: number): void => {
      if (open.current) setUpload({ name: file.name, sent });
    };
    setProblem('');
    show(0);
    try {
      await send(file, { onProgress: show, signal: own.signal });
    } catch (error) {
      if (open.current && !(error instanceof CancelledError)) setProblem(problemWords(error));
    } finally {
      if (open.current) setUpload(undefined);
    }
  };
  return {
    upload,
    problem,
    start: (file: File) => void start(file),
    cancel: () => canceller.current?.abort(),
  };
}
