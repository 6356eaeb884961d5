import { useState, type SyntheticEvent } from 'react';

import { t } from '../client/text/catalogue';
import { Button } from '../ui/controls/Button';
import { TextField } from '../ui/controls/TextField';
import { Message } from '../ui/surfaces/Message';

/** Shown to visitors without a link, on a server that issues no tokens to the page. `onPaste` says whether it took the text. */
export function TokenGate({ onPaste }: { onPaste: (pasted: string) => boolean }) {
  const [pasted, setPasted] = useState('');
  const [refused, setRefused] = useState(false);

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    setRefused(!onPaste(pasted));
  };

  return (
    <Message title={t('gate.title')} testId="token-gate">
      <p>{t('gate.explain')}</p>
      <form className="fields" onSubmit={submit}>
        <TextField
          id="token"
          label={t('gate.label')}
          testId="token-input"
          spellCheck={false}
          value={pasted}
          onChange={(next) => {
            setPasted(next);
            setRefused(false);
          }}
        />
        {refused && (
          <p role="alert" className="problem" data-testid="lobby-error">
            {t('gate.refused')}
          </p>
        )}
        <div className="actions">
          <Button submit look="primary" testId="token-continue" disabled={pasted.trim() === ''}>
            {t('action.continue')}
          </Button>
        </div>
      </form>
    </Message>
  );
}
