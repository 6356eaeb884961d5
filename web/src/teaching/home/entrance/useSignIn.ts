import { useState } from 'react';

import { Caller } from '../../../client/classroom/call';
import { sessions } from '../../../client/classroom/sessions';
import { isSignedOut, needsCode, problemWords } from '../../../client/classroom/words';
import { s } from '../../../client/text/sessions/texts';

/** Signing in with an account: the code of its second factor is asked for once the server has said that it needs one. */
export function useSignIn(onSignIn: (token: string, name: string) => void) {
  const [code, setCode] = useState<string>();
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const signIn = async (email: string, password: string): Promise<void> => {
    setBusy(true);
    setProblem('');
    try {
      const { token, name } = await sessions.signIn(new Caller(''), email, password, code?.trim());
      onSignIn(token, name);
      return;
    } catch (error) {
      if (needsCode(error)) setCode('');
      else setProblem(isWrongPassword(error) ? s('sign.wrong') : problemWords(error));
    }
    setBusy(false);
  };
  const isWrongPassword = (error: unknown): boolean => isSignedOut(error) && code === undefined;
  return { code, setCode, problem, setProblem, busy, setBusy, signIn };
}
