import { useState, type SyntheticEvent } from 'react';

import { Caller } from '../../../client/classroom/call';
import { sessions } from '../../../client/classroom/sessions';
import { problemWords } from '../../../client/classroom/words';
import { t } from '../../../client/text/catalogue';
import { s } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { TextField } from '../../../ui/controls/TextField';

const ROLES = ['tutor', 'student', 'admin'] as const;

interface SignInProps {
  name: string;
  onSignIn: (token: string, name: string) => void;
}

/** Signs in as any person, in development mode. */
export function SignIn({ name: recalled, onSignIn }: SignInProps) {
  const [name, setName] = useState(recalled);
  const [role, setRole] = useState<(typeof ROLES)[number]>('tutor');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    if (name.trim() === '') {
      setProblem(t('name.missing'));
      return;
    }
    setBusy(true);
    try {
      onSignIn(await sessions.signInForDevelopment(new Caller(''), name.trim(), role), name.trim());
    } catch (error) {
      setProblem(problemWords(error));
      setBusy(false);
    }
  };
  return (
    <form className="card fields" onSubmit={(event) => void submit(event)} noValidate data-testid="sign-in">
      <h1>{s('sign.title')}</h1>
      <p className="soft">{s('sign.explain')}</p>
      <TextField
        id="sign-name"
        label={s('sign.name')}
        autoComplete="nickname"
        maxLength={100}
        value={name}
        onChange={setName}
      />
      <fieldset className="choices-row">
        <legend>{s('sign.as')}</legend>
        {ROLES.map((each) => (
          <label key={each} className="choice">
            <input
              type="radio"
              name="role"
              data-testid={`sign-${each}`}
              checked={role === each}
              onChange={() => setRole(each)}
            />
            {s(`sign.${each}`)}
          </label>
        ))}
      </fieldset>
      {problem !== '' && (
        <p role="alert" className="problem">
          {problem}
        </p>
      )}
      <Button submit look="primary" testId="sign-submit" disabled={busy}>
        {s('sign.in')}
      </Button>
    </form>
  );
}
