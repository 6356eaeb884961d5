import { useEffect } from 'react';

import { textOf } from '../../client/json';
import { remember, storage } from '../../client/storage';
import type { Store } from '../../client/store';
import { Logo } from '../../ui/Logo';
import { Message } from '../../ui/Message';
import { useStore } from '../../ui/useStore';
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
  const step = useStore(call.state);
  const name = textOf(call.settings?.room['name']);
  useEffect(() => {
    document.title = name === '' ? 'Lectern' : `${name} · Lectern`;
  }, [name]);
  // The embedding page decides itself what comes next.
  useExit(step, embedder === undefined ? (call.settings?.redirectOnExit ?? '') : '', name);

  switch (step.name) {
    case 'waiting':
      return (
        <main className="message" data-testid="waiting" aria-busy="true">
          <Logo />
          <p role="status">One moment…</p>
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
            remember(storage('localStorage'), { name: userName, ids: call.preview.chosen() });
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
      return (
        <Message title={title} testId="over">
          <p role="status" data-testid="over-detail">
            {detail}
          </p>
          {/* daily-js does not notice a join that it did not request, so an embedded page has no button. */}
          {again !== undefined && embedder === undefined && (
            <div className="actions">
              <button type="button" className="primary" data-testid="again" onClick={() => void call.retry()}>
                {again}
              </button>
            </div>
          )}
        </Message>
      );
    }
  }
}
