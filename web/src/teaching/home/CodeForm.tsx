import { useState, type SyntheticEvent } from 'react';

import { s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';

/** Takes a join code. */
export function CodeForm({ onCode }: { onCode: (code: string) => void }) {
  const [code, setCode] = useState('');
  const [missing, setMissing] = useState(false);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    setMissing(code.trim() === '');
    if (code.trim() !== '') onCode(code.trim());
  };
  return (
    <form className="card fields" onSubmit={submit} noValidate>
      <h2>{s('home.code')}</h2>
      <div className="field">
        <label htmlFor="code">{s('home.codeHelp')}</label>
        <input
          id="code"
          className="code-input"
          data-testid="code"
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          maxLength={12}
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
      </div>
      {missing && (
        <p role="alert" className="problem">
          {s('home.codeMissing')}
        </p>
      )}
      <Button submit testId="code-join">
        {s('home.join')}
      </Button>
    </form>
  );
}
