import { useState } from 'react';

import { signallingUrl } from '../../client/access/address';
import type { CheckResult } from '../../client/media/link/check';
import { UnreachableError, type Access } from '../../client/server/server';
import { t } from '../../client/text/catalogue';
import { Button } from '../controls/Button';

type State = { name: 'idle' } | { name: 'checking' } | { name: 'done'; result: CheckResult };

/** Tries the connection to the server and says in plain words what it is good for. */
export function ConnectionCheck({ access }: { access: () => Promise<Access> }) {
  const [state, setState] = useState<State>({ name: 'idle' });
  const check = async (): Promise<void> => {
    setState({ name: 'checking' });
    let result: CheckResult;
    try {
      const { checkConnection } = await import('../../client/media/link/check');
      result = await checkConnection(await access(), signallingUrl(window.location));
    } catch (error) {
      const verdict = error instanceof UnreachableError ? 'unreachable' : 'blocked';
      result = { verdict, figures: undefined };
    }
    setState({ name: 'done', result });
  };
  return (
    <section className="check" aria-label={t('check.title')}>
      <Button
        look="quiet"
        icon="network"
        testId="check-connection"
        disabled={state.name === 'checking'}
        onPress={() => void check()}
      >
        {t(state.name === 'checking' ? 'lobby.checking' : 'lobby.check')}
      </Button>
      <div
        role="status"
        data-testid="check-result"
        data-verdict={state.name === 'done' ? state.result.verdict : ''}
      >
        {state.name === 'done' && <Verdict result={state.result} />}
      </div>
    </section>
  );
}

function Verdict({ result: { verdict, figures } }: { result: CheckResult }) {
  return (
    <>
      <p className={`verdict verdict-${verdict}`}>{t(`check.${verdict}`)}</p>
      {figures !== undefined && (
        <p className="soft">
          {t('check.figures', {
            up: figures.upKbps,
            roundTrip: figures.roundTripMs,
            loss: figures.lossPercent,
          })}
        </p>
      )}
    </>
  );
}
