import { useState } from 'react';

import { account, type Ban } from '../../../client/classroom/account';
import { dateAndTime } from '../../../client/text/catalogue';
import { a } from '../../../client/text/account/texts';
import { named } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { CardProblem } from './CardProblem';
import { useAttempt, type CardProps } from './useAttempt';

interface BansCardProps extends CardProps {
  bans: readonly Ban[];
  onLifted: (person: string) => void;
}

/** The people whom a tutor banned from all sessions. */
export function BansCard({ caller, onSignedOut, bans, onLifted }: BansCardProps) {
  const { attempt, busy, problem } = useAttempt(onSignedOut);
  const [lifted, setLifted] = useState('');
  const nameOf = ({ name }: Ban): string => name || a('bans.unnamed');
  return (
    <section className="card fields" data-testid="bans">
      <h2>{a('bans.title')}</h2>
      <p className="soft">{a(bans.length === 0 ? 'bans.none' : 'bans.explain')}</p>
      <ul className="bans">
        {bans.map((ban) => (
          <li key={ban.person} data-testid="ban">
            <div>
              <strong>{nameOf(ban)}</strong>
              <p className="soft">
                {a('bans.where', { title: ban.title || a('bans.gone'), when: dateAndTime(ban.at) })}
              </p>
            </div>
            <Button
              testId="ban-lift"
              label={named(a('bans.lift'), nameOf(ban))}
              disabled={busy}
              onPress={() =>
                void attempt(async () => {
                  await account.liftBan(caller, ban.person);
                  setLifted(nameOf(ban));
                  onLifted(ban.person);
                })
              }
            >
              {a('bans.lift')}
            </Button>
          </li>
        ))}
      </ul>
      <p role="status">{lifted !== '' && a('bans.lifted', { name: lifted })}</p>
      <CardProblem problem={problem} testId="bans-problem" />
    </section>
  );
}
