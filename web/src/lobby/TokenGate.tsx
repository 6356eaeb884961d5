import { useState, type SyntheticEvent } from 'react';

import { findToken, readClaims } from '../client/access';
import { Message } from '../ui/Message';

/** What a visitor without access sees on a server that hands out no tokens itself. */
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
        Lessons on this server are entered by a personal link. Open the one that your teacher, or your
        school’s application, gave you.
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
            This is neither a personal link nor an access token. Copy it again, all of it.
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
