import { useEffect, useState } from 'react';

import { fieldsOf, type Fields } from '../../client/json';
import type { Meeting } from '../call/meeting';
import type { Verdict } from '../call/stats';
import { Panel } from './Panel';

const STATES = {
  good: 'Good',
  warning: 'Weak: video may stutter',
  bad: 'Bad: audio may break up',
  unknown: 'Not measured yet',
} as const;

const ROWS = [
  ['Receiving', 'recvBitsPerSecond', kilobits],
  ['Sending', 'sendBitsPerSecond', kilobits],
  ['Packet loss, receiving', 'totalRecvPacketLoss', percent],
  ['Packet loss, sending', 'totalSendPacketLoss', percent],
  ['Round trip', 'networkRoundTripTime', milliseconds],
] as const;

interface NetworkPanelProps {
  meeting: Meeting;
  verdict: Verdict;
  onClose: () => void;
}

/** The quality of the user's own network. */
export function NetworkPanel({ meeting, verdict, onClose }: NetworkPanelProps) {
  const [latest, setLatest] = useState<Fields>({});
  useEffect(() => {
    const update = (): void => {
      setLatest(fieldsOf(meeting.network.figures()['latest']));
    };
    update();
    const timer = window.setInterval(update, 2000);
    return () => window.clearInterval(timer);
  }, [meeting]);
  return (
    <Panel title="Network" testId="network-panel" onClose={onClose}>
      <p className={`network-state network-${verdict.state}`} data-testid="network-state">
        {STATES[verdict.state]}
      </p>
      <dl className="network-figures">
        {ROWS.map(([label, field, words]) => {
          const value = latest[field];
          return (
            <div key={field}>
              <dt>{label}</dt>
              <dd>{typeof value === 'number' ? words(value) : '–'}</dd>
            </div>
          );
        })}
      </dl>
    </Panel>
  );
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
