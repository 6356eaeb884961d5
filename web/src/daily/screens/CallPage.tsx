import { useEffect } from 'react';

import { textOf } from '../../client/json';
import { recall, remember, storage } from '../../client/storage';
import type { Store } from '../../client/store';
import { serverPath } from '../../client/server/base';
import { t } from '../../client/text/catalogue';
import { Button } from '../../ui/controls/Button';
import { Logo } from '../../ui/surfaces/Logo';
import { Message } from '../../ui/surfaces/Message';
import { useLanguage } from '../../ui/hooks/useLanguage';
import { useReturn } from '../../ui/hooks/useReturn';
import { useStore } from '../../ui/hooks/useStore';
import { exitAddress } from '../call/address';
import type { Appearance } from '../call/appearance';
import type { Call } from '../call/call';
import type { Meeting } from '../call/meeting';
import type { Step } from '../call/step';
import type { Embedder } from '../embedder';
import { HairCheck } from './HairCheck';
import { Knocking } from './Knocking';
import { MeetingScreen } from './MeetingScreen';

interface CallPageProps {
  call: Call;
  appearance: Store<Appearance>;
  /** Undefined when the page is not embedded. */
  embedder: Embedder | undefined;
}

/** Go to the application's page after leaving. After an error the page stays, so that the user can read it. */
function useExit(step: Step<Meeting>, wanted: string, room: string): void {
  const left = step.name === 'over' && step.over.problem === undefined;
  useEffect(() => {
    const address = exitAddress(wanted, window.location.host, room);
    if (left && address !== '') window.location.assign(address);
  }, [left, wanted, room]);
}

/** The page of a room, at any step of a call. */
export function CallPage({ call, appearance, embedder }: CallPageProps) {
  useLanguage();
  const step = useStore(call.state);
  const name = textOf(call.settings?.room['name']);
  useEffect(() => {
    document.title = name === '' ? 'Lectern' : `${name} · Lectern`;
  }, [name]);
  // The embedding page decides itself what comes next.
  useExit(step, embedder === undefined ? (call.settings?.redirectOnExit ?? '') : '', name);

  useReturn(
    step.name === 'over' && embedder === undefined ? step.attempt : undefined,
    () => void call.retry(),
    () => call.giveUp(),
  );

  switch (step.name) {
    case 'waiting':
      return (
        <main className="message" data-testid="waiting" aria-busy="true">
          <Logo />
          <p role="status">{t('action.wait')}</p>
        </main>
      );
    case 'haircheck':
      return (
        <HairCheck
          key={step.userName}
          step={step}
          room={name}
          preview={call.preview}
          initial={call.initialDevices(step.settings)}
          onJoin={(userName) => {
            const stored = recall(storage('localStorage'));
            remember(storage('localStorage'), { ...stored, name: userName, ids: call.preview.chosen() });
            void call.proceed(userName);
          }}
        />
      );
    case 'knocking':
      return <Knocking step={step} room={name} onLeave={() => call.leave()} />;
    case 'meeting':
      return (
        <MeetingScreen step={step} appearance={appearance} embedder={embedder} onLeave={() => call.leave()} />
      );
    case 'over': {
      const { title, detail, again } = step.over;
      const returning = step.attempt !== undefined && embedder === undefined;
      return (
        <Message title={title} testId="over">
          <p role="status" data-testid="over-detail">
            {returning ? `${t('end.serverDetail')} ${t('end.returning')}` : detail}
          </p>
          {returning && <div className="progress" aria-hidden="true" />}
          {/* daily-js does not notice a join that it did not request, so an embedded page has no button. */}
          {step.over.problem?.type === 'no-room' && embedder === undefined && (
            <p>
              <a href={serverPath('/')}>{t('end.home')}</a>
            </p>
          )}
          {again !== undefined && embedder === undefined && (
            <div className="actions">
              <Button look="primary" testId="again" onPress={() => void call.retry()}>
                {again}
              </Button>
            </div>
          )}
        </Message>
      );
    }
  }
}
