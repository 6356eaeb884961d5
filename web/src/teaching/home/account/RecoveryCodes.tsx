import { useState } from 'react';

import { a } from '../../../client/text/account/texts';
import { Button } from '../../../ui/controls/Button';

/** Recovery codes, which the server shows this one time. */
export function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  const [copied, setCopied] = useState(false);
  const copy = (): void =>
    void navigator.clipboard
      .writeText(codes.join('\n'))
      .then(() => setCopied(true))
      // The codes can be selected by hand.
      .catch(() => undefined);
  return (
    <>
      <h3>{a('factor.codesTitle')}</h3>
      <p role="status">{a('factor.codes')}</p>
      <ul className="recovery-codes" data-testid="recovery-codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className="actions">
        <Button icon={copied ? 'check' : 'link'} testId="codes-copy" onPress={copy}>
          {a(copied ? 'factor.copied' : 'factor.copy')}
        </Button>
        <Button look="primary" testId="codes-kept" onPress={onKept}>
          {a('factor.stored')}
        </Button>
      </div>
    </>
  );
}
