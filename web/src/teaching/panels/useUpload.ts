import { useState } from 'react';

import { refusalOf } from '../../client/classroom/uploads';
import { problemWords } from '../../client/classroom/words';
import { s } from '../../client/text/sessions/texts';

const REFUSALS = { type: 'files.badType', large: 'files.tooLarge', image: 'files.imageTooLarge' } as const;

/** Sends files one at a time, and reports the state. */
export function useUpload(send: (file: File) => Promise<void>) {
  const [busy, setBusy] = useState('');
  const [problem, setProblem] = useState('');
  const upload = (file: File): void => {
    const refusal = refusalOf(file);
    if (refusal !== undefined) {
      setProblem(s(REFUSALS[refusal], { name: file.name }));
      return;
    }
    setProblem('');
    setBusy(file.name);
    send(file)
      .catch((error: unknown) => setProblem(problemWords(error)))
      .finally(() => setBusy(''));
  };
  return { busy, problem, upload };
}
