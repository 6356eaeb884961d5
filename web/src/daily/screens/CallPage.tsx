import { useEffect, useSyncExternalStore } from 'react';

import { remember, storage } from '../../client/remembered';
import { Logo } from '../../ui/Logo';
import { Message } from '../../ui/Message';
import { exitAddress } from '../call/address';
import type { Call } from '../call/call';
import { HairCheck } from './HairCheck';
import type { Looks } from '../call/looks';
import { MeetingScreen } from './MeetingScreen';
import { Knocking } from './Knocking';
import type { Meeting } from '../call/meeting';
import type { Step } from '../call/step';

/** The page around this one, as far as components speak to it. */
export interface Embedder {
  pressed: (id: string) => void;
  requestFullscreen: (on: boolean) => void;
}

interface CallPageProps {
  call: Call;
  looks: Looks;
  /** Undefined: this page stands alone. */
  embedder: Embedder | undefined;
}

/** Go where the application wants people to be after a meeting; an end that was not wished for stays to be read. */
function useExit(step: Step<Meeting>, wanted: string, room: string): void {
  const left = step.name === 'over' && step.over.problem === undefined;
  useEffect(() => {
    const address = exitAddress(wanted, window.location.host, room);
    if (left && address !== '') window.location.assign(address);
  }, [left, wanted, room]);
}

/** The page of a room: whatever step somebody is at. */
export function CallPage({ call, looks, embedder }: CallPageProps) {
  const step = useSyncExternalStore(call.subscribe, call.snapshot);
  const { room } = call.look ?? {};
  const name = typeof room?.['name'] === 'string' ? room['name'] : '';
  useEffect(() => {
    document.title = name === '' ? 'Lectern' : `${name} · Lectern`;
  }, [name]);
  // In a frame the page around decides what comes after.
  useExit(step, embedder === undefined ? (call.look?.redirectOnExit ?? '') : '', name);

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
          starting={call.startingDevices(step.look)}
          onJoin={(userName) => {
            remember(storage('localStorage'), { name: userName, ids: call.preview.chosen() });
            void call.proceed(userName);
          }}
        />
      );
    case 'knocking':
      return <Knocking step={step} room={name} onLeave={() => call.leave()} />;
    case 'meeting':
      return <MeetingScreen step={step} looks={looks} embedder={embedder} onLeave={() => call.leave()} />;
    case 'over': {
      const { title, detail, again } = step.over;
      return (
        <Message title={title} testId="over">
          <p role="status" data-testid="over-detail">
            {detail}
          </p>
          {/* daily-js would not notice that somebody is back: the page around has its own way. */}
          {again !== undefined && embedder === undefined && (
            <div className="actions">
              <button type="button" className="primary" data-testid="again" onClick={() => void call.again()}>
                {again}
              </button>
            </div>
          )}
        </Message>
      );
    }
  }
}
