import { useEffect, useState } from 'react';

import { t } from '../../client/text/catalogue';
import { Panel } from '../../ui/surfaces/Panel';
import type { Network } from '../wire';

const ROWS = [
  ['network.receiving', 'recvBitsPerSecond', kilobits],
  ['network.sending', 'sendBitsPerSecond', kilobits],
  ['network.lossIn', 'totalRecvPacketLoss', percent],
  ['network.lossOut', 'totalSendPacketLoss', percent],
  ['network.roundTrip', 'networkRoundTripTime', milliseconds],
] as const;

// As often as the figures change.
const INTERVAL_MS = 2000;

/** The quality of the user's own network. */
export function NetworkPanel({ network, onClose }: { network: Network; onClose: () => void }) {
  const [{ latest, verdict }, setReading] = useState(() => read(network));
  useEffect(() => {
    const timer = window.setInterval(() => setReading(read(network)), INTERVAL_MS);
    return () => window.clearInterval(timer);
  }, [network]);
  return (
    <Panel title={t('control.network')} testId="network-panel" onClose={onClose}>
      <p className={`network-state network-${verdict.state}`} role="status" data-testid="network-state">
        {t(`network.${verdict.state}`)}
      </p>
      <dl className="network-figures">
        {ROWS.map(([label, field, words]) => {
          const value = latest[field];
          return (
            <div key={field}>
              <dt>{t(label)}</dt>
              <dd>{typeof value === 'number' ? words(value) : '–'}</dd>
            </div>
          );
        })}
      </dl>
    </Panel>
  );
}

function read(network: Network) {
  return { latest: network.latest(), verdict: network.verdict() };
}

function kilobits(bitsPerSecond: number): string {
  return `${Math.round(bitsPerSecond / 1000)} kbit/s`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function milliseconds(seconds: number): string {
  return `${Math.round(seconds * 1000)} ms`;
}
