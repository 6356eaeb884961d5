import { useIsRecording } from '@livekit/components-react';
import { useState } from 'react';

import { recordings } from '../../client/classroom/recordings';
import { recallConsent, rememberConsent, storage, type Consent } from '../../client/storage';
import { t } from '../../client/text/catalogue';
import { s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { Icon } from '../../ui/controls/Icon';
import { Switch } from '../../ui/controls/Switch';
import { TEACHING } from '../../ui/controls/teachingIcons';
import { Dialog } from '../../ui/surfaces/Dialog';
import { useLive } from './context';

/** Asks everybody, once a session, whether they may be recorded; the answer can be changed while the recording runs. */
export function RecordingNotice() {
  const { session, wire } = useLive();
  const recorded = useIsRecording(wire.room);
  const [given, setGiven] = useState<Consent>();
  const [asking, setAsking] = useState(false);
  if (!recorded) return null;
  // Read when a recording starts: the person who started it has agreed before.
  const consent = given ?? recallConsent(storage('sessionStorage'), session.id);
  const answer = (granted: boolean): void =>
    void wire
      .run(() => recordings.consent(session.caller, session.id, granted))
      .then((done) => {
        if (!done) return;
        const now = granted ? 'granted' : 'declined';
        rememberConsent(storage('sessionStorage'), session.id, now);
        setGiven(now);
        setAsking(false);
      });
  if (consent !== '' && !asking) {
    // People who are recorded see the mark in the header; people who are not should know that their answer applies.
    if (consent === 'granted') return null;
    return (
      <div className="notice" role="status" data-testid="consent-declined">
        <p>{s('rec.notYou')}</p>
        <Button look="quiet" testId="consent-change" onPress={() => setAsking(true)}>
          {s('rec.change')}
        </Button>
      </div>
    );
  }
  return (
    <div className="notice consent" role="alert" data-testid="consent">
      <Icon name={TEACHING.record} />
      <p>{s('rec.ask')}</p>
      <Button look="primary" testId="consent-yes" onPress={() => answer(true)}>
        {s('rec.yes')}
      </Button>
      <Button look="quiet" testId="consent-no" onPress={() => answer(false)}>
        {s('rec.no')}
      </Button>
    </div>
  );
}

/** Asks a tutor how to record, before it starts. */
export function RecordDialog({ onClose }: { onClose: () => void }) {
  const { session, wire } = useLive();
  const [agreedOnly, setAgreedOnly] = useState(true);
  const start = (): void => {
    onClose();
    void wire.run(async () => {
      // A person who starts a recording agrees to it.
      await recordings.consent(session.caller, session.id, true);
      rememberConsent(storage('sessionStorage'), session.id, 'granted');
      await recordings.start(session.caller, session.id, agreedOnly);
    });
  };
  return (
    <Dialog title={s('rec.startAsk')} testId="record-dialog" onClose={onClose}>
      <p>{s('rec.startDetail')}</p>
      <Switch label={s('rec.agreedOnly')} on={agreedOnly} testId="record-agreed" onChange={setAgreedOnly} />
      <div className="actions">
        <Button look="primary" firstFocus testId="record-start" onPress={start}>
          {s('rec.start')}
        </Button>
        <Button onPress={onClose}>{t('action.cancel')}</Button>
      </div>
    </Dialog>
  );
}
