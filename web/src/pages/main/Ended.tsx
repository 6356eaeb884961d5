import { t } from '../../client/text/catalogue';
import { Button } from '../../ui/controls/Button';
import { Message } from '../../ui/surfaces/Message';
import type { Ended as EndedScreen } from './screen';

interface EndedProps {
  screen: EndedScreen;
  onRejoin: () => void;
  onBack: () => void;
}

/** Why the lesson is over for the user, and how to go on. */
export function Ended({ screen, onRejoin, onBack }: EndedProps) {
  const { ending, problem, joining, attempt } = screen;
  const returning = attempt !== undefined;
  return (
    <Message title={ending.title} testId="ended">
      <p role="status" data-testid="status" data-state={returning ? 'returning' : 'disconnected'}>
        {ending.detail} {returning && t('end.returning')}
      </p>
      {problem !== '' && (
        <p role="alert" className="problem" data-testid="ended-error">
          {problem}
        </p>
      )}
      {returning && <div className="progress" aria-hidden="true" />}
      <div className="actions">
        {ending.rejoin !== undefined && (
          <Button
            look={returning ? 'plain' : 'primary'}
            testId="rejoin"
            disabled={joining && !returning}
            onPress={onRejoin}
          >
            {joining && !returning ? t('action.joining') : ending.rejoin}
          </Button>
        )}
        <Button testId="back" disabled={joining && !returning} onPress={onBack}>
          {t('end.lobby')}
        </Button>
      </div>
    </Message>
  );
}
