import { useState, type SyntheticEvent } from 'react';

import { s } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { TextField } from '../../../ui/controls/TextField';

/** A field for a join code. */
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
      <p className="soft">{s('home.codeHelp')}</p>
      <TextField
        id="code"
        label={s('home.codeLabel')}
        className="code-input"
        autoCapitalize="characters"
        spellCheck={false}
        maxLength={12}
        value={code}
        onChange={setCode}
      />
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
