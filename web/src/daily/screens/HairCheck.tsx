import { useEffect, useState, type SyntheticEvent } from 'react';

import { MAX_NAME_LENGTH } from '../../client/access/address';
import type { DeviceKind } from '../../client/media/devices/devices';
import type { Preview } from '../../client/media/devices/preview';
import { t } from '../../client/text/catalogue';
import { Button } from '../../ui/controls/Button';
import { TextField } from '../../ui/controls/TextField';
import { Logo } from '../../ui/surfaces/Logo';
import { DevicePreview } from '../../ui/preview/DevicePreview';
import { Problems } from '../../ui/preview/Problems';
import { useStore } from '../../ui/hooks/useStore';
import type { Meeting } from '../call/meeting';
import type { Step } from '../call/step';

interface HairCheckProps {
  step: Extract<Step<Meeting>, { name: 'haircheck' }>;
  room: string;
  preview: Preview;
  /** The devices that start turned on. */
  initial: readonly DeviceKind[];
  onJoin: (userName: string) => void;
}

/** Camera, microphone and name before the meeting. */
export function HairCheck({ step, room, preview, initial, onJoin }: HairCheckProps) {
  const devices = useStore(preview.state);
  const [name, setName] = useState(step.userName);
  const [problem, setProblem] = useState('');
  const kinds = initial.join();

  useEffect(() => {
    if (kinds !== '') void preview.start(kinds.split(',') as DeviceKind[]);
  }, [preview, kinds]);

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const wanted = name.trim();
    setProblem(wanted === '' ? t('name.missing') : '');
    if (wanted !== '') onJoin(wanted);
  };

  const fixed = step.settings.userName !== '';
  const verb = step.settings.mustKnock ? t('daily.ask') : t('daily.join');
  return (
    <main className="lobby" data-testid="haircheck">
      <header className="lobby-header">
        <Logo />
      </header>
      <div className="lobby-columns">
        <DevicePreview preview={preview} devices={devices} />
        <form className="card fields" onSubmit={submit} noValidate>
          <h1>{t('daily.ready')}</h1>
          <p className="soft">{room}</p>
          <TextField
            id="name"
            label={t('lobby.name')}
            testId="haircheck-name"
            autoComplete="nickname"
            maxLength={MAX_NAME_LENGTH}
            readOnly={fixed}
            value={name}
            onChange={setName}
          />
          {step.settings.mustKnock && <p>{t('daily.mustKnock')}</p>}
          <Problems preview={preview} devices={devices} problem={problem} testId="haircheck-error" />
          <Button submit look="primary" testId="haircheck-join" disabled={step.busy}>
            {step.busy ? t('action.joining') : verb}
          </Button>
        </form>
      </div>
    </main>
  );
}
