import { useState, type SyntheticEvent } from 'react';

import { account, passwordFault, SHORTEST_PASSWORD } from '../../../client/classroom/account';
import { a } from '../../../client/text/account/texts';
import { s } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { TextField } from '../../../ui/controls/TextField';
import { CardProblem } from './CardProblem';
import { useAttempt, type CardProps } from './useAttempt';

interface PasswordCardProps extends CardProps {
  /** All sign-ins of the account have ended, this one included. */
  onChanged: () => void;
}

/** Changes the password of the account. */
export function PasswordCard({ caller, onSignedOut, onChanged }: PasswordCardProps) {
  const [present, setPresent] = useState('');
  const [changed, setChanged] = useState('');
  const [again, setAgain] = useState('');
  const { attempt, busy, problem, setProblem } = useAttempt(onSignedOut);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const fault = passwordFault(changed, again);
    if (fault === undefined) {
      void attempt(async () => {
        await account.changePassword(caller, present, changed);
        onChanged();
      });
    } else {
      setProblem(
        fault === 'short' ? s('password.short', { count: SHORTEST_PASSWORD }) : s('password.differ'),
      );
    }
  };
  return (
    <form className="card fields" onSubmit={submit} noValidate data-testid="change-password">
      <h2>{a('password.title')}</h2>
      <p className="soft">{a('password.explain', { count: SHORTEST_PASSWORD })}</p>
      <TextField
        id="change-present"
        label={a('password.present')}
        type="password"
        autoComplete="current-password"
        maxLength={128}
        value={present}
        onChange={setPresent}
      />
      <TextField
        id="change-new"
        label={a('password.new')}
        type="password"
        autoComplete="new-password"
        maxLength={128}
        value={changed}
        onChange={setChanged}
      />
      <TextField
        id="change-again"
        label={a('password.again')}
        type="password"
        autoComplete="new-password"
        maxLength={128}
        value={again}
        onChange={setAgain}
      />
      <CardProblem problem={problem} testId="change-problem" />
      <Button submit testId="change-submit" disabled={busy || present === '' || changed === ''}>
        {a('password.change')}
      </Button>
    </form>
  );
}
