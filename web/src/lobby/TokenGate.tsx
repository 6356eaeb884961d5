import { useState, type SyntheticEvent } from 'react';

import { findToken, readClaims } from '../client/access';
import { Message } from '../ui/Message';

/** Shown to visitors without a token, on a server that issues no tokens to the page. */
export function TokenGate({ onToken }: { onToken: (token: string) => void }) {
  const [pasted, setPasted] = useState('');
  const [refused, setRefused] = useState(false);

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const token = findToken(pasted);
    if (readClaims(token) === undefined) setRefused(true);
    else onToken(token);
  };

  return (
    <Message title="Open the link of your lesson" testId="token-gate">
      <p>
        You need a personal link to join a lesson on this server. Open the link that you received from your
        teacher or from your school’s application.
      </p>
      <form className="fields" onSubmit={submit}>
        <div className="field">
          <label htmlFor="token">Personal link or access token</label>
          <input
            id="token"
            data-testid="token-input"
            autoComplete="off"
            spellCheck={false}
            value={pasted}
            onChange={(event) => {
              setPasted(event.target.value);
              setRefused(false);
            }}
          />
        </div>
        {refused && (
          <p role="alert" className="problem" data-testid="lobby-error">
            This is neither a personal link nor an access token. Copy the whole link and try again.
          </p>
        )}
        <div className="actions">
          <button
            type="submit"
            className="primary"
            data-testid="token-continue"
            disabled={pasted.trim() === ''}
          >
            Continue
          </button>
        </div>
      </form>
    </Message>
  );
}
