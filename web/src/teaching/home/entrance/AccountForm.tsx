import { useState, type SyntheticEvent } from 'react';

import { Caller } from '../../../client/classroom/call';
import { sessions } from '../../../client/classroom/sessions';
import { problemWords } from '../../../client/classroom/words';
import { serverPath } from '../../../client/server/base';
import { s } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { TextField } from '../../../ui/controls/TextField';
import { CodeField } from './CodeField';
import { useSignIn } from './useSignIn';

interface AccountFormProps {
  /** People can sign in at their school's OpenID provider. */
  oidc: boolean;
  /** The server sends mail, so a forgotten password can be reset. */
  mail: boolean;
  onSignIn: (token: string, name: string) => void;
}

/** Signs in with an account on this server; other people use a personal link, which the form explains. */
export function AccountForm({ oidc, mail, onSignIn }: AccountFormProps) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [sent, setSent] = useState(false);
  const { code, setCode, problem, setProblem, busy, setBusy, signIn } = useSignIn(onSignIn);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    void signIn(email.trim(), password);
  };
  const forgot = async (): Promise<void> => {
    if (email.trim() === '') {
      setProblem(s('sign.emailFirst'));
      return;
    }
    setBusy(true);
    setProblem('');
    try {
      await sessions.forgotPassword(new Caller(''), email.trim());
      setSent(true);
    } catch (error) {
      setProblem(problemWords(error));
    }
    setBusy(false);
  };
  return (
    <form className="card fields" onSubmit={submit} noValidate data-testid="account">
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
      <CodeField code={code} onChange={setCode} />
      {problem !== '' && (
        <p role="alert" className="problem" data-testid="sign-problem">
          {problem}
        </p>
      )}
      <Button
        submit
        look={oidc ? 'plain' : 'primary'}
        testId="account-submit"
        disabled={busy || email === '' || password === '' || code === ''}
      >
        {s('sign.in')}
      </Button>
      {mail && !sent && (
        <Button look="quiet" testId="sign-forgot" disabled={busy} onPress={() => void forgot()}>
          {s('sign.forgot')}
        </Button>
      )}
      {sent && (
        <p role="status" data-testid="sign-sent">
          {s('sign.sent')}
        </p>
      )}
      <p className="soft">{s('sign.byLink')}</p>
    </form>
  );
}
