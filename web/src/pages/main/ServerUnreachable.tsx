import { SERVER_UNREACHABLE } from '../../client/words';
import { Message } from '../../ui/Message';

export function ServerUnreachable({ onRetry }: { onRetry: () => void }) {
  return (
    <Message title="Cannot reach the server" testId="server-gone">
      <p role="alert">{SERVER_UNREACHABLE}</p>
      <div className="actions">
        <button type="button" className="primary" onClick={onRetry}>
          Try again
        </button>
      </div>
    </Message>
  );
}
