import { replayPath } from '../client/classroom/place';
import type { Summary } from '../client/classroom/sessions';
import { s } from '../client/text/sessions/texts';

/** A link to the recordings of a session. */
export function ReplayLink({ session }: { session: Pick<Summary, 'id' | 'title'> }) {
  return (
    <a
      className="button"
      href={replayPath(session.id)}
      data-testid="replay-open"
      aria-label={`${s('home.replay')}: ${session.title}`}
    >
      {s('home.replay')}
    </a>
  );
}
