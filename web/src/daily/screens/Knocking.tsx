import { Message } from '../../ui/Message';
import type { Meeting } from '../call/meeting';
import type { Step } from '../call/step';

interface KnockingProps {
  step: Extract<Step<Meeting>, { name: 'knocking' }>;
  room: string;
  onLeave: () => void;
}

/** Shown while the user waits to be let in, and after a denial. */
export function Knocking({ step, room, onLeave }: KnockingProps) {
  if (step.denied) {
    return (
      <Message title="You were not let in" testId="denied">
        <p role="status">A host of this meeting did not let you in.</p>
      </Message>
    );
  }
  return (
    <Message title="Waiting to be let in" testId="knocking">
      <p role="status">
        {step.userName}, the people in {room} know that you are waiting. You will join as soon as one of them
        lets you in.
      </p>
      <div className="actions">
        <button type="button" data-testid="knocking-leave" onClick={onLeave}>
          Stop waiting
        </button>
      </div>
    </Message>
  );
}
