import { t } from '../../client/text/catalogue';
import { unreachableWords } from '../../client/words';
import { Button } from '../../ui/controls/Button';
import { Message } from '../../ui/surfaces/Message';

export function ServerUnreachable({ onRetry }: { onRetry: () => void }) {
  return (
    <Message title={t('title.unreachable')} testId="server-gone">
      <p role="alert">{unreachableWords()}</p>
      <div className="actions">
        <Button look="primary" onPress={onRetry}>
          {t('action.tryAgain')}
        </Button>
      </div>
    </Message>
  );
}
