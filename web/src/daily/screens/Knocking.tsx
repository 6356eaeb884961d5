import { t } from '../../client/text/catalogue';
import { Button } from '../../ui/controls/Button';
import { Message } from '../../ui/surfaces/Message';
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
      <Message title={t('daily.denied')} testId="denied">
        <p role="status">{t('daily.deniedDetail')}</p>
      </Message>
    );
  }
  return (
    <Message title={t('daily.knocking')} testId="knocking">
      <p role="status">{t('daily.knockingDetail', { name: step.userName, room })}</p>
      <div className="actions">
        <Button testId="knocking-leave" onPress={onLeave}>
          {t('daily.stopWaiting')}
        </Button>
      </div>
    </Message>
  );
}
