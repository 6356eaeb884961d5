import '../../../styles/account.css';

import { useCallback, useEffect, useState } from 'react';

import {
  account,
  hasNoAccount,
  type Ban,
  type FactorState,
  type MailChoice,
} from '../../../client/classroom/account';
import type { Caller } from '../../../client/classroom/call';
import type { Me } from '../../../client/classroom/sessions';
import { a } from '../../../client/text/account/texts';
import { Button } from '../../../ui/controls/Button';
import { BansCard } from './BansCard';
import { CardProblem } from './CardProblem';
import { FactorCard } from './FactorCard';
import { HoursCard } from './HoursCard';
import { MailCard } from './MailCard';
import { PasswordCard } from './PasswordCard';
import { useAttempt } from './useAttempt';

interface AccountPageProps {
  caller: Caller;
  me: Me;
  onSignedOut: () => void;
}

/** The account of a person: second factor, mail, password, and a tutor's bans. */
export function AccountPage({ caller, me, onSignedOut }: AccountPageProps) {
  const { own, setOwn, bans, setBans, problem, loadFactor } = useAccount(caller, me, onSignedOut);
  const [changed, setChanged] = useState(false);
  const shared = { caller, onSignedOut };
  if (changed) {
    return (
      <div className="card fields account" data-testid="password-changed">
        <h1>{a('account.title')}</h1>
        <p role="status">{a('password.changed')}</p>
        <Button look="primary" firstFocus testId="account-sign-in" onPress={onSignedOut}>
          {a('password.signIn')}
        </Button>
      </div>
    );
  }
  return (
    <div className="account" data-testid="account-page">
      <h1>{a('account.title')}</h1>
      <CardProblem problem={problem} testId="account-problem" />
      {own === 'none' && <p data-testid="account-none">{a('account.none')}</p>}
      <div className="account-cards">
        {own !== undefined && own !== 'none' && (
          <>
            <FactorCard {...shared} factor={own.factor} onChanged={loadFactor} />
            <PasswordCard {...shared} onChanged={() => setChanged(true)} />
            <MailCard {...shared} mail={own.mail} onChanged={(mail) => setOwn({ ...own, mail })} />
          </>
        )}
        {bans !== undefined && <HoursCard {...shared} person={me.person} bookable />}
        {bans !== undefined && (
          <BansCard
            {...shared}
            bans={bans}
            onLifted={(person) => setBans(bans.filter((ban) => ban.person !== person))}
          />
        )}
      </div>
    </div>
  );
}

interface Own {
  factor: FactorState;
  mail: MailChoice;
}

/** The account, `none` if it is elsewhere, and the bans; undefined until the server has answered. */
function useAccount(caller: Caller, me: Me, onSignedOut: () => void) {
  const [own, setOwn] = useState<Own | 'none'>();
  const [bans, setBans] = useState<readonly Ban[]>();
  const { attempt, problem } = useAttempt(onSignedOut);
  const teaches = me.role === 'tutor' || me.role === 'admin';
  const load = useCallback(async () => {
    if (teaches) setBans(await account.bans(caller));
    setOwn(await ownAccount(caller));
  }, [caller, teaches]);
  useEffect(() => {
    const first = window.setTimeout(() => void attempt(load));
    return () => window.clearTimeout(first);
  }, [attempt, load]);
  const loadFactor = async (): Promise<void> => {
    const factor = await account.factor(caller);
    setOwn((before) => (before === undefined || before === 'none' ? before : { ...before, factor }));
  };
  return { own, setOwn, bans, setBans, problem, loadFactor };
}

async function ownAccount(caller: Caller): Promise<Own | 'none'> {
  try {
    const [factor, mail] = await Promise.all([account.factor(caller), account.mail(caller)]);
    return { factor, mail };
  } catch (error) {
    if (hasNoAccount(error)) return 'none';
    throw error;
  }
}
