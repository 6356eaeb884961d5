import { useState, type SyntheticEvent } from 'react';

import { account, type FactorState, type NewFactor } from '../../../client/classroom/account';
import { a } from '../../../client/text/account/texts';
import { Button } from '../../../ui/controls/Button';
import { TextField } from '../../../ui/controls/TextField';
import { CardProblem } from './CardProblem';
import { QrCode } from './QrCode';
import { RecoveryCodes } from './RecoveryCodes';
import { useAttempt, type CardProps } from './useAttempt';

interface FactorCardProps extends CardProps {
  factor: FactorState;
  onChanged: () => Promise<void>;
}

/** The second factor: one-time passwords of an authenticator program, and recovery codes. */
export function FactorCard({ caller, onSignedOut, factor, onChanged }: FactorCardProps) {
  const [codes, setCodes] = useState<readonly string[]>([]);
  const shared = { caller, onSignedOut, onChanged, onCodes: setCodes };
  return (
    <section className="card fields" data-testid="factor" data-on={factor.enabled}>
      <h2>{a('factor.title')}</h2>
      {codes.length > 0 ? (
        <RecoveryCodes codes={codes} onKept={() => setCodes([])} />
      ) : factor.enabled ? (
        <Enrolled {...shared} left={factor.recoveryCodesLeft} />
      ) : (
        <Enrolment {...shared} />
      )}
    </section>
  );
}

interface StepProps extends CardProps {
  onChanged: () => Promise<void>;
  onCodes: (codes: readonly string[]) => void;
}

/** Password, then the QR code and the first code. */
function Enrolment({ caller, onSignedOut, onChanged, onCodes }: StepProps) {
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [factor, setFactor] = useState<NewFactor>();
  const { attempt, busy, problem, setProblem } = useAttempt(onSignedOut);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    void attempt(async () => {
      if (factor === undefined) {
        setFactor(await account.enrol(caller, password));
        setPassword('');
        return;
      }
      onCodes(await account.confirm(caller, code.trim()));
      await onChanged();
    });
  };
  const cancel = (): void => {
    setFactor(undefined);
    setCode('');
    setProblem('');
  };
  return (
    <form className="fields" onSubmit={submit} noValidate>
      {factor === undefined ? (
        <>
          <p className="soft">{a('factor.off')}</p>
          <TextField
            id="factor-password"
            label={a('factor.password')}
            type="password"
            autoComplete="current-password"
            maxLength={128}
            value={password}
            onChange={setPassword}
          />
        </>
      ) : (
        <>
          <p>{a('factor.scan')}</p>
          <QrCode content={factor.uri} label={a('factor.picture')} />
          <div>
            <p className="soft">{a('factor.secret')}</p>
            {/* In groups of four, which are easier to type; the apps ignore the spaces. */}
            <code data-testid="factor-secret">{factor.secret.replaceAll(/.{4}(?=.)/gu, '$& ')}</code>
          </div>
          <CodeInput label={a('factor.code')} code={code} onChange={setCode} />
        </>
      )}
      <CardProblem problem={problem} testId="factor-problem" />
      <div className="actions">
        <Button
          submit
          look="primary"
          testId="factor-next"
          disabled={busy || (factor === undefined ? password : code.trim()) === ''}
        >
          {a(factor === undefined ? 'factor.begin' : 'factor.confirm')}
        </Button>
        {factor !== undefined && (
          <Button look="quiet" testId="factor-cancel" onPress={cancel}>
            {a('factor.cancel')}
          </Button>
        )}
      </div>
    </form>
  );
}

/** The factor is in force: replace the recovery codes, or turn it off, each with a code. */
function Enrolled({ caller, onSignedOut, onChanged, onCodes, left }: StepProps & { left: number }) {
  const [action, setAction] = useState<'renew' | 'disable'>();
  const [code, setCode] = useState('');
  const { attempt, busy, problem, setProblem } = useAttempt(onSignedOut);
  const choose = (next: 'renew' | 'disable' | undefined): void => {
    setAction(next);
    setCode('');
    setProblem('');
  };
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    void attempt(async () => {
      if (action === 'renew') onCodes(await account.renew(caller, code.trim()));
      else await account.disable(caller, code.trim());
      await onChanged();
    });
  };
  return (
    <>
      <p className="soft">
        {a('factor.on')} {a('factor.left', { count: left })}
      </p>
      {action === undefined ? (
        <div className="actions">
          <Button testId="factor-renew" onPress={() => choose('renew')}>
            {a('factor.renew')}
          </Button>
          <Button look="quiet" testId="factor-disable" onPress={() => choose('disable')}>
            {a('factor.disable')}
          </Button>
        </div>
      ) : (
        <form className="fields" onSubmit={submit} noValidate>
          <p>{a(action === 'renew' ? 'factor.renewExplain' : 'factor.disableExplain')}</p>
          <CodeInput label={a('factor.anyCode')} code={code} onChange={setCode} />
          <CardProblem problem={problem} testId="factor-problem" />
          <div className="actions">
            <Button
              submit
              look={action === 'renew' ? 'primary' : 'danger'}
              testId="factor-next"
              disabled={busy || code.trim() === ''}
            >
              {a(action === 'renew' ? 'factor.renew' : 'factor.disable')}
            </Button>
            <Button look="quiet" testId="factor-cancel" onPress={() => choose(undefined)}>
              {a('factor.cancel')}
            </Button>
          </div>
        </form>
      )}
    </>
  );
}

interface CodeInputProps {
  label: string;
  code: string;
  onChange: (code: string) => void;
}

function CodeInput({ label, code, onChange }: CodeInputProps) {
  return (
    <TextField
      id="factor-code"
      label={label}
      autoComplete="one-time-code"
      spellCheck={false}
      maxLength={40}
      value={code}
      onChange={onChange}
    />
  );
}
