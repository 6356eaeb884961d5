import { t } from '../../client/text/catalogue';
import { Button } from '../../ui/controls/Button';
import type { WaitingPerson } from '../call/door';
import type { Meeting } from '../call/meeting';

/** The people who wait to be let in, for participants who may let them in. */
export function WaitingPeople({ meeting, waiting }: { meeting: Meeting; waiting: readonly WaitingPerson[] }) {
  if (waiting.length === 0) return null;
  return (
    <ul className="notice waiting-people" aria-label={t('daily.waiting')} data-testid="waiting-people">
      {waiting.map(({ id, name }) => (
        <li key={id}>
          <span className="person-name">
            {t('daily.wants', { name: name === '' ? t('daily.someone') : name })}
          </span>
          <Button testId="deny" onPress={() => void meeting.answerKnock(id, false)}>
            {t('daily.deny')}
          </Button>
          <Button look="primary" testId="admit" onPress={() => void meeting.answerKnock(id, true)}>
            {t('daily.admit')}
          </Button>
        </li>
      ))}
    </ul>
  );
}
