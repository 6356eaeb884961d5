import type { WaitingPerson } from '../call/door';
import type { Meeting } from '../call/meeting';

/** The people who wait to be let in, for participants who may let them in. */
export function WaitingPeople({ meeting, waiting }: { meeting: Meeting; waiting: readonly WaitingPerson[] }) {
  if (waiting.length === 0) return null;
  return (
    <ul className="notice waiting-people" aria-label="People waiting to join" data-testid="waiting-people">
      {waiting.map(({ id, name }) => (
        <li key={id}>
          <span className="person-name">
            <strong>{name === '' ? 'Someone' : name}</strong> wants to join
          </span>
          <button type="button" data-testid="deny" onClick={() => void meeting.answerKnock(id, false)}>
            Deny
          </button>
          <button
            type="button"
            className="primary"
            data-testid="admit"
            onClick={() => void meeting.answerKnock(id, true)}
          >
            Let in
          </button>
        </li>
      ))}
    </ul>
  );
}
