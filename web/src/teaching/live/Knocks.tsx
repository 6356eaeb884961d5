import { named, s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { useLive } from './context';

// More would cover the stage; further people are only counted.
const NAMED = 4;

/** People in the lobby, for staff to admit. */
export function Knocks() {
  const { state, staff, run } = useLive();
  const knocking = state.people.waiting.filter(({ why }) => why === 'knock');
  if (!staff || knocking.length === 0) return null;
  const path = (id: string): string => `/participants/${encodeURIComponent(id)}`;
  return (
    <section className="notice knocks" aria-live="polite" aria-label={s('knock.title')} data-testid="knocks">
      <ul>
        {knocking.slice(0, NAMED).map(({ id, name }) => (
          <li key={id} data-testid="knock">
            <p>{s('knock.wants', { name })}</p>
            <Button
              look="primary"
              testId="admit"
              label={named(s('knock.admit'), name)}
              onPress={() => void run(`${path(id)}/admit`)}
            >
              {s('knock.admit')}
            </Button>
            <Button
              look="quiet"
              testId="refuse"
              label={named(s('knock.refuse'), name)}
              onPress={() => void run(`${path(id)}/refuse`)}
            >
              {s('knock.refuse')}
            </Button>
          </li>
        ))}
      </ul>
      {knocking.length > 1 && (
        <Button look="primary" testId="admit-all" onPress={() => void run('/participants/admit-all')}>
          {`${s('knock.admitAll')} (${knocking.length})`}
        </Button>
      )}
    </section>
  );
}
