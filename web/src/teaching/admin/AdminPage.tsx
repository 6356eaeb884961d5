import '../../styles/admin.css';

import { useCallback, useState } from 'react';

import type { Caller } from '../../client/classroom/call';
import { problemWords } from '../../client/classroom/words';
import { s } from '../../client/text/sessions/texts';
import { AuditPart } from './AuditPart';
import { KeysPart } from './KeysPart';
import { LogPart } from './LogPart';
import { NowPart } from './NowPart';
import { useServer } from './useServer';
import { UsersPart } from './UsersPart';
import { WebhooksPart } from './WebhooksPart';

const PARTS = ['now', 'log', 'users', 'webhooks', 'audit', 'keys'] as const;
type Part = (typeof PARTS)[number];

// What only operators of the server see.
const OPERATING: ReadonlySet<Part> = new Set(['now', 'log', 'keys']);

/** What administrators see of their school and, where they operate it, of the server. */
export function AdminPage({ caller }: { caller: Caller }) {
  const server = useServer(caller);
  const [chosen, setChosen] = useState<Part>();
  const [problem, setProblem] = useState('');
  const attempt = useCallback(async (call: () => Promise<void>): Promise<void> => {
    try {
      await call();
      setProblem('');
    } catch (error) {
      setProblem(problemWords(error));
    }
  }, []);
  if (server.refused === undefined) return null;
  const parts = PARTS.filter((each) => !server.refused || !OPERATING.has(each));
  const part = chosen ?? parts[0];
  const shared = { caller, attempt };
  return (
    <div className="admin" data-testid="admin">
      <h1>{s('admin.title')}</h1>
      <nav className="admin-parts" aria-label={s('admin.title')}>
        {parts.map((each) => (
          <button
            key={each}
            type="button"
            className="admin-part"
            data-testid={`admin-${each}`}
            aria-current={each === part ? 'page' : undefined}
            onClick={() => setChosen(each)}
          >
            {s(`admin.${each}`)}
          </button>
        ))}
      </nav>
      {problem !== '' && (
        <p role="alert" className="problem">
          {problem}
        </p>
      )}
      {part === 'now' && server.now !== undefined && <NowPart now={server.now} samples={server.samples} />}
      {part === 'keys' && server.now !== undefined && <KeysPart keys={server.now.keys} />}
      {part === 'log' && <LogPart {...shared} />}
      {part === 'users' && <UsersPart {...shared} />}
      {part === 'webhooks' && <WebhooksPart {...shared} />}
      {part === 'audit' && <AuditPart {...shared} />}
    </div>
  );
}
