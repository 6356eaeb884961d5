import { useState, type SyntheticEvent } from 'react';

import { Caller } from '../../../client/classroom/call';
import { sessions } from '../../../client/classroom/sessions';
import { problemWords } from '../../../client/classroom/words';
import { s } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { TextField } from '../../../ui/controls/TextField';
import { CodeField } from './CodeField';
import { useSignIn } from './useSignIn';

const SHORTEST = 10;

interface PasswordFormProps {
  /** Token of the invitation, if the link had it. */
  token: string;
  onSignIn: (token: string, name: string) => void;
}

/** Accepts an invitation, or finishes a reset, by setting a password; then the person is signed in. */
export function PasswordForm({ token: given, onSignIn }: PasswordFormProps) {
  const [token, setToken] = useState(given);
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [email, setEmail] = useState('');
  const { code, setCode, problem, setProblem, busy, setBusy, signIn } = useSignIn(onSignIn);
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    if (email !== '') {
      await signIn(email, password); // the password is set; a code was missing or wrong
      return;
    }
    if (password.length < SHORTEST) setProblem(s('password.short', { count: SHORTEST }));
    else if (password !== again) setProblem(s('password.differ'));
    else {
      setBusy(true);
      try {
        const found = await sessions.setPassword(new Caller(''), token.trim(), password);
        setEmail(found);
        await signIn(found, password);
      } catch (error) {
        setProblem(problemWords(error));
        setBusy(false);
      }
    }
  };
  return (
    <form className="card fields" onSubmit={(event) => void submit(event)} noValidate data-testid="password">
      <h1>{s('password.title')}</h1>
      <p className="soft">{s('password.explain', { count: SHORTEST })}</p>
      {given === '' && (
        <TextField
          id="password-token"
          label={s('password.token')}
          spellCheck={false}
          value={token}
          onChange={setToken}
        />
      )}
      <TextField
        id="password-new"
        label={s('sign.password')}
        type="password"
        autoComplete="new-password"
        maxLength={128}
        value={password}
        onChange={setPassword}
      />
      <TextField
        id="password-again"
        label={s('password.again')}
        type="password"
        autoComplete="new-password"
        maxLength={128}
        value={again}
        onChange={setAgain}
      />
      <CodeField code={code} onChange={setCode} />
      {problem !== '' && (
        <p role="alert" className="problem" data-testid="password-problem">
          {problem}
        </p>
      )}
      <Button
        submit
        look="primary"
        testId="password-submit"
        disabled={busy || token.trim() === '' || code === ''}
      >
        {s('password.set')}
      </Button>
    </form>
  );
}
