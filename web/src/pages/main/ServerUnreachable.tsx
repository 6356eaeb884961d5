import { SERVER_UNREACHABLE } from '../../client/words';
import { Message } from '../../ui/Message';

export function ServerUnreachable({ onAgain }: { onAgain: () => void }) {
  return (
    <Message title="The server is not there" testId="server-gone">
      <p role="alert">{SERVER_UNREACHABLE}</p>
      <div className="actions">
        <button type="button" className="primary" onClick={onAgain}>
          Try again
        </button>
      </div>
    </Message>
  );
}
