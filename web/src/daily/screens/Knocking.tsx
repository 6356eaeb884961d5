import { Message } from '../../ui/Message';
import type { Meeting } from '../call/meeting';
import type { Step } from '../call/step';

interface KnockingProps {
  step: Extract<Step<Meeting>, { name: 'knocking' }>;
  room: string;
  onLeave: () => void;
}

/** At the door, until somebody opens. */
export function Knocking({ step, room, onLeave }: KnockingProps) {
  if (step.denied) {
    return (
      <Message title="You were not let in" testId="denied">
        <p role="status">Somebody who runs this meeting did not let you in.</p>
      </Message>
    );
  }
  return (
    <Message title="You are at the door" testId="knocking">
      <p role="status">
        {step.userName}, the people in {room} know that you wait. You are in as soon as one of them opens.
      </p>
      <div className="actions">
        <button type="button" data-testid="knocking-leave" onClick={onLeave}>
          Wait no more
        </button>
      </div>
    </Message>
  );
}
