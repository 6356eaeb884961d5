import { useState, type SyntheticEvent } from 'react';

import { Caller } from '../../client/classroom/call';
import { sessions } from '../../client/classroom/sessions';
import { isSignedOut, problemWords } from '../../client/classroom/words';
import { serverPath } from '../../client/server/base';
import { s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { TextField } from '../../ui/controls/TextField';

interface AccountFormProps {
  /** People can sign in at their school's OpenID provider. */
  oidc: boolean;
  onSignIn: (token: string, name: string) => void;
}

/** Signs in with an account on this server; other people use a personal link, which the form explains. */
export function AccountForm({ oidc, onSignIn }: AccountFormProps) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      const { token, name } = await sessions.signIn(new Caller(''), email.trim(), password);
      onSignIn(token, name);
    } catch (error) {
      setProblem(isSignedOut(error) ? s('sign.wrong') : problemWords(error));
      setBusy(false);
    }
  };
  return (
    <form className="card fields" onSubmit={(event) => void submit(event)} noValidate data-testid="account">
      <h1>{s('sign.title')}</h1>
      {oidc && (
        <>
          <a
            className="button button-primary"
            data-testid="sign-school"
            href={serverPath(
              `/api/v1/oidc/sign-in?return_to=${encodeURIComponent(window.location.pathname)}`,
            )}
          >
            {s('sign.school')}
          </a>
          <p className="soft">{s('sign.or')}</p>
        </>
      )}
      <TextField
        id="sign-email"
        label={s('sign.email')}
        type="email"
        autoComplete="username"
        value={email}
        onChange={setEmail}
      />
      <TextField
        id="sign-password"
        label={s('sign.password')}
        type="password"
        autoComplete="current-password"
        value={password}
        onChange={setPassword}
      />
      {problem !== '' && (
        <p role="alert" className="problem" data-testid="sign-problem">
          {problem}
        </p>
      )}
      <Button
        submit
        look={oidc ? 'plain' : 'primary'}
        testId="account-submit"
        disabled={busy || email === '' || password === ''}
      >
        {s('sign.in')}
      </Button>
      <p className="soft">{s('sign.byLink')}</p>
    </form>
  );
}
