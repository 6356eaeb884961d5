import { account, type MailChoice } from '../../../client/classroom/account';
import { a } from '../../../client/text/account/texts';
import { Switch } from '../../../ui/controls/Switch';
import { ZONES } from '../zones';
import { CardProblem } from './CardProblem';
import { useAttempt, type CardProps } from './useAttempt';

interface MailCardProps extends CardProps {
  mail: MailChoice;
  onChanged: (mail: MailChoice) => void;
}

/** Where mail goes, and what a person gets mail about. */
export function MailCard({ caller, onSignedOut, mail, onChanged }: MailCardProps) {
  const { attempt, problem } = useAttempt(onSignedOut);
  const set = (choice: Partial<Pick<MailChoice, 'timeZone' | 'reminders'>>): void =>
    void attempt(async () => onChanged(await account.setMail(caller, choice)));
  const zones = ZONES.includes(mail.timeZone) || mail.timeZone === '' ? ZONES : [mail.timeZone, ...ZONES];
  return (
    <section className="card fields" data-testid="mail">
      <h2>{a('mail.title')}</h2>
      <p className="soft">{mail.sent ? a('mail.to', { email: mail.email }) : a('mail.off')}</p>
      <Switch
        label={a('mail.reminders')}
        help={a('mail.remindersHelp')}
        on={mail.reminders}
        testId="mail-reminders"
        onChange={(reminders) => set({ reminders })}
      />
      <div className="field">
        <label htmlFor="mail-zone">{a('mail.zone')}</label>
        <select
          id="mail-zone"
          data-testid="mail-zone"
          value={mail.timeZone}
          onChange={({ target }) => set({ timeZone: target.value })}
        >
          <option value="">{a('mail.noZone')}</option>
          {zones.map((each) => (
            <option key={each} value={each}>
              {each.replaceAll('_', ' ')}
            </option>
          ))}
        </select>
      </div>
      <CardProblem problem={problem} testId="mail-problem" />
    </section>
  );
}
