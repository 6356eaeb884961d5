import { placePath, shownCode } from '../../client/classroom/place';
import { isBefore, isOver, type Summary } from '../../client/classroom/sessions';
import { clock } from '../../client/classroom/time';
import { dateAndTime } from '../../client/text/catalogue';
import { s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { ReplayLink } from '../ReplayLink';

const PHASE_KEYS = {
  draft: 'home.draft',
  scheduled: 'home.draft',
  live: 'home.live',
  paused: 'home.paused',
  ended: 'home.ended',
  cancelled: 'home.cancelled',
  expired: 'home.expired',
} as const;

interface SessionListProps {
  title: string;
  testId: string;
  sessions: readonly Summary[];
  /** The id of this page's person. */
  me: string;
  empty?: string;
  /** Ids of sessions that have recordings. */
  recorded: ReadonlySet<string>;
  onCancel: (session: Summary) => void;
}

/** The sessions of one part of the agenda; renders nothing if there are none and no text for that case. */
export function SessionList({ title, testId, sessions, me, empty, recorded, onCancel }: SessionListProps) {
  if (sessions.length === 0 && empty === undefined) return null;
  return (
    <section className="session-list" data-testid={testId}>
      <h2>{title}</h2>
      {sessions.length === 0 && <p className="soft">{empty}</p>}
      <ul>
        {sessions.map((session) => (
          <Row key={session.id} session={session} me={me} recorded={recorded} onCancel={onCancel} />
        ))}
      </ul>
    </section>
  );
}

type RowProps = Pick<SessionListProps, 'me' | 'recorded' | 'onCancel'> & { session: Summary };

function Row({ session, me, recorded, onCancel }: RowProps) {
  const { id, title, phase, owner, code, startsAt, startedAt, taughtS } = session;
  const at = startedAt ?? startsAt;
  const over = isOver(phase);
  return (
    <li className="session-row card" data-testid="session-row" data-phase={phase}>
      <div className="session-words">
        <h3>{title}</h3>
        <p className="soft">
          <span className={phase === 'live' ? 'live-mark' : undefined}>{s(PHASE_KEYS[phase])}</span>
          {at !== undefined && ` · ${dateAndTime(at)}`}
          {over && taughtS > 0 && ` · ${clock(taughtS)}`}
          {!over && code !== '' && ` · ${s('home.codeIs', { code: shownCode(code) })}`}
        </p>
      </div>
      {isBefore(phase) && owner === me && (
        <Button look="quiet" testId="session-cancel" onPress={() => onCancel(session)}>
          {s('home.cancel')}
        </Button>
      )}
      {over && recorded.has(id) && <ReplayLink session={session} />}
      {(!over || phase === 'ended') && (
        <a
          className={over ? 'button' : 'button button-primary'}
          href={placePath({ kind: 'session', id })}
          data-testid="session-open"
          aria-label={`${over ? s('home.report') : s('home.open')}: ${title}`}
        >
          {over ? s('home.report') : s('home.open')}
        </a>
      )}
    </li>
  );
}
