import { SERVER_GONE } from '../../client/words';
import { Message } from '../../ui/Message';

export function ServerGone({ onAgain }: { onAgain: () => void }) {
  return (
    <Message title="The server is not there" testId="server-gone">
      <p role="alert">{SERVER_GONE}</p>
      <div className="actions">
        <button type="button" className="primary" onClick={onAgain}>
          Try again
        </button>
      </div>
    </Message>
  );
}
