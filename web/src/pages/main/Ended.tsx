import type { Ending } from '../../client/words';
import { Message } from '../../ui/Message';

interface EndedProps {
  screen: { ending: Ending; problem: string; joining: boolean };
  onRejoin: () => void;
  onBack: () => void;
}

export function Ended({ screen: { ending, problem, joining }, onRejoin, onBack }: EndedProps) {
  return (
    <Message title={ending.title} testId="ended">
      <p role="status" data-testid="status" data-state="disconnected">
        {ending.detail}
      </p>
      {problem !== '' && (
        <p role="alert" className="problem" data-testid="ended-error">
          {problem}
        </p>
      )}
      <div className="actions">
        {ending.rejoin !== undefined && (
          <button
            type="button"
            className="primary"
            data-testid="rejoin"
            disabled={joining}
            onClick={onRejoin}
          >
            {joining ? 'Joining…' : ending.rejoin}
          </button>
        )}
        <button type="button" data-testid="back" disabled={joining} onClick={onBack}>
          Back to the lobby
        </button>
      </div>
    </Message>
  );
}
