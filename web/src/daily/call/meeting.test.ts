import { RoomEvent, type Room } from 'livekit-client';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { CAN_ADMIN, TOPIC } from '../../client/attributes';
import { DoorError, type Door } from './door';
import { Meeting } from './meeting';
import { appMessage, chatMessage } from './packets';

type Listener = (...values: unknown[]) => void;

/** A room that records what is published, and receives packets from the test. */
class FakeRoom {
  readonly listeners = new Map<string, Listener>();
  readonly published: unknown[] = [];
  readonly remoteParticipants = new Map();
  readonly localParticipant = {
    identity: 'me',
    name: 'Ada',
    attributes: {} as Record<string, string>,
    on: () => this.localParticipant,
    publishData: (payload: Uint8Array) => Promise.resolve(this.published.push(payload)),
  };

  on(event: string, listener: Listener): this {
    this.listeners.set(event, listener);
    return this;
  }
  once(event: string, listener: Listener): this {
    return this.on(event, listener);
  }
  receive(payload: Uint8Array, identity?: string, topic = TOPIC): void {
    this.listeners.get(RoomEvent.DataReceived)?.(
      payload,
      identity === undefined ? undefined : { identity },
      undefined,
      topic,
    );
  }
}

function fromServer(content: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(content));
}

function setUp({ rights = '' } = {}) {
  const fake = new FakeRoom();
  fake.localParticipant.attributes[CAN_ADMIN] = rights;
  const door = {
    waitingPeople: () => Promise.resolve([{ id: 'k', name: 'Ben' }]),
    answerKnock: () => Promise.reject(new DoorError('not-allowed', 'You may not do that.')),
  };
  const meeting = new Meeting(fake as unknown as Room, door as unknown as Door, 'pass');
  return {
    fake,
    meeting,
    state: () => meeting.state.snapshot(),
    chat: () => meeting.wire.chat.state.snapshot(),
  };
}

beforeEach(() => {
  vi.stubGlobal('setInterval', () => 0);
  vi.stubGlobal('window', {});
});

describe('chat', () => {
  const hello = appMessage(chatMessage('Ben', 'Hello', 0));
  it('counts lines as unread until it is opened', () => {
    const { fake, meeting, chat } = setUp();
    fake.receive(hello, 'ben');
    fake.receive(hello, 'ben');
    expect(chat()).toMatchObject({ lines: [{ text: 'Hello' }, { text: 'Hello' }], unread: 2 });
    meeting.wire.chat.setOpen(true);
    fake.receive(hello, 'ben');
    expect(chat()).toMatchObject({ lines: { length: 3 }, unread: 0 });
  });
  it('shows the user’s own lines, which are never unread', async () => {
    const { fake, meeting, chat } = setUp();
    await meeting.sendChat('Good morning');
    expect(fake.published).toHaveLength(1);
    expect(chat()).toMatchObject({ lines: [{ from: 'me', name: 'Ada', text: 'Good morning' }], unread: 0 });
  });
  it('ignores packets of other topics', () => {
    const { fake, chat } = setUp();
    fake.receive(hello, 'ben', 'elsewhere');
    expect(chat().lines).toEqual([]);
  });
});

describe('rights', () => {
  it('change with a packet of the server, of which subscribers are notified', () => {
    const { fake, meeting } = setUp();
    let notified = 0;
    meeting.state.subscribe(() => (notified += 1));
    expect(meeting.administers).toBe(false);
    fake.receive(fromServer({ kind: 'permissions', session_id: 'me', permissions: { canAdmin: true } }));
    expect([meeting.administers, notified]).toEqual([true, 1]);
  });
});

describe('people who wait', () => {
  it('are fetched for participants who may let them in', async () => {
    const { state } = setUp({ rights: 'participants' });
    await vi.waitFor(() => expect(state().waiting).toEqual([{ id: 'k', name: 'Ben' }]));
  });
  it('are not fetched for others', async () => {
    const { fake, state } = setUp();
    fake.receive(fromServer({ kind: 'waiting' }));
    await Promise.resolve();
    expect(state().waiting).toEqual([]);
  });
  it('disappear when they are answered, and a refusal becomes a notice', async () => {
    const { meeting, state } = setUp({ rights: 'participants' });
    await vi.waitFor(() => expect(state().waiting).toHaveLength(1));
    await meeting.answerKnock('k', true);
    expect([state().waiting, state().notice]).toEqual([[], 'You may not do that.']);
  });
});
