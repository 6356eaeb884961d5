/**
 * A session as this page follows it: by server-sent events before media is connected, then by data packets of the media
 * connection (`POST .../events/deliver`). Missed events are loaded: the number of the last event decides.
 */
import { ConnectionState, RoomEvent, type Room } from 'livekit-client';

import { SESSION_TOPIC } from '../../attributes';
import { fieldsOf, isFields, listOf, numberOf, textOf, type Fields } from '../../json';
import { serverPath } from '../../server/base';
import { Store, type Readable } from '../../store';
import type { Caller } from '../call';
import { pathOf } from '../sessions';
import { unfold, type SessionEvent } from './event';
import { laneOf, Lanes } from './lanes';
import { readPolls } from './work/polls';
import { readQuestions } from './work/questions';
import { applyEvent, readDoor, readState, stalePart, type Door, type SessionState } from './state';

export interface Followed {
  /** Undefined while this person is not in the session. */
  inside: SessionState | undefined;
  /** Undefined while this person is in the session, and before the first response. */
  door: Door | undefined;
}

export type Stream = Pick<EventSource, 'addEventListener' | 'close'>;

// Several answers to a poll within this time lead to one request.
const RELOAD_MS = 400;

export class FollowedSession {
  private readonly store = new Store<Followed>({ inside: undefined, door: undefined });
  readonly state: Readable<Followed> = this.store;
  private readonly listeners = new Set<(event: SessionEvent) => void>();
  private readonly captionListeners = new Set<(message: Fields) => void>();
  private readonly replacements = new Set<() => void>();
  private readonly lanes = new Lanes();
  private seq = -1;
  private stream: Stream | undefined;
  private readonly reloading = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(
    readonly caller: Caller,
    readonly id: string,
    private readonly me: string,
    private readonly openStream: (url: string) => Stream = (url) => new EventSource(url),
  ) {}

  /** Call a listener for each event, after it was applied. Returns the function that removes the listener. */
  onEvent(listener: (event: SessionEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Call a listener when the whole state was loaded again: earlier changes may have had no event. */
  onReplaced(listener: () => void): () => void {
    this.replacements.add(listener);
    return () => this.replacements.delete(listener);
  }

  /** Call a listener for each message about live captions. Returns the function that removes the listener. */
  onCaptions(listener: (message: Fields) => void): () => void {
    this.captionListeners.add(listener);
    return () => this.captionListeners.delete(listener);
  }

  /** Follow by server-sent events, until `close` or `attach`. */
  open(): void {
    this.close();
    const query = new URLSearchParams({ access_token: this.caller.token });
    const stream = this.openStream(serverPath(`/api/v1${pathOf(this.id)}/events?${query.toString()}`));
    this.stream = stream;
    const take = (event: Event): void => {
      if (event instanceof MessageEvent) this.receive(parse(event.data));
    };
    stream.addEventListener('state', take);
    stream.addEventListener('events', take);
    stream.addEventListener('captions', take);
    stream.addEventListener('end', () => stream.close());
  }

  close(): void {
    this.stream?.close();
    this.stream = undefined;
  }

  /** Follow over a media connection from now on. Returns the function that stops it. */
  attach(room: Room): () => void {
    const decoder = new TextDecoder();
    const take = (payload: Uint8Array, sender: unknown, _kind: unknown, topic?: string): void => {
      // Only packets from the server have no sender; participants cannot forge that.
      if (topic === SESSION_TOPIC && sender === undefined) this.receive(parse(decoder.decode(payload)));
    };
    const ask = (): void => void this.deliver();
    room
      .on(RoomEvent.DataReceived, take)
      .on(RoomEvent.Connected, ask)
      .on(RoomEvent.Reconnected, ask)
      .on(RoomEvent.Moved, ask);
    if (room.state === ConnectionState.Connected) ask();
    return () => {
      room
        .off(RoomEvent.DataReceived, take)
        .off(RoomEvent.Connected, ask)
        .off(RoomEvent.Reconnected, ask)
        .off(RoomEvent.Moved, ask);
    };
  }

  private async deliver(): Promise<void> {
    try {
      await this.caller.post(`${pathOf(this.id)}/events/deliver`, this.seq < 0 ? {} : { after: this.seq });
      this.close();
    } catch {
      // Not connected yet, or no longer: the stream continues.
      if (this.stream === undefined) this.open();
    }
  }

  /** A command of this session, such as `('/hands')`. Commands of one feature reach the server in the order of the calls. */
  command(path: string, body: object = {}): Promise<Fields> {
    return this.lanes.run(laneOf(path), () => this.caller.post(pathOf(this.id) + path, body));
  }

  /** Process a message of a stream or of the media connection. */
  receive(message: Fields): void {
    switch (message['type']) {
      case 'state':
        this.replace(fieldsOf(message['state']), message['outside'] === true, numberOf(message['seq']) ?? 0);
        return;
      case 'events':
        this.follow(message);
        return;
      case 'captions':
        for (const listener of this.captionListeners) listener(message);
        return;
      case 'load':
        void this.load();
        return;
      default:
    }
  }

  private replace(fields: Fields, outside: boolean, seq: number): void {
    if (seq < this.seq) return;
    this.seq = seq;
    const { inside } = this.store.snapshot();
    if (outside) this.store.set({ inside: undefined, door: readDoor(fields) });
    else this.store.set({ inside: readState(fields, this.me, Date.now(), inside), door: undefined });
    for (const listener of this.replacements) listener();
  }

  private follow(message: Fields): void {
    const [after, upto] = [numberOf(message['after']) ?? 0, numberOf(message['upto']) ?? 0];
    if (upto <= this.seq) return;
    // Some of its events were applied already. (`after` may exceed our number: this person may not see the events between.)
    if (after < this.seq) {
      void this.load();
      return;
    }
    const events = unfold(listOf(message['runs']));
    const { inside } = this.store.snapshot();
    this.seq = upto;
    // Events in the lobby change the position in the queue, which only the server knows.
    if (inside === undefined) void this.load();
    else this.store.set({ inside: events.reduce(applyEvent, inside), door: undefined });
    for (const event of events) {
      for (const listener of this.listeners) listener(event);
      const stale = inside === undefined ? undefined : stalePart(inside, event);
      if (stale !== undefined) this.reload(stale);
    }
  }

  /** Load everything again. */
  async load(): Promise<void> {
    try {
      const { door } = await this.caller.get(`${pathOf(this.id)}/door`);
      if (isFields(door)) this.replace(door, true, numberOf(door['seq']) ?? this.seq);
      else {
        const state = await this.caller.get(`${pathOf(this.id)}/state`);
        this.replace(state, false, numberOf(state['seq']) ?? this.seq);
      }
    } catch {
      // The stream, or the next message, will retry.
    }
  }

  private reload(part: 'polls' | 'questions'): void {
    if (this.reloading.has(part)) return;
    const run = async (): Promise<void> => {
      this.reloading.delete(part);
      const fields = await this.caller.get(`${pathOf(this.id)}/${part}`).catch(() => undefined);
      const { inside } = this.store.snapshot();
      if (fields === undefined || inside === undefined) return;
      const read = part === 'polls' ? { polls: readPolls(fields) } : { questions: readQuestions(fields) };
      this.store.update({ inside: { ...inside, ...read } });
    };
    this.reloading.set(
      part,
      setTimeout(() => void run(), RELOAD_MS),
    );
  }
}

function parse(data: unknown): Fields {
  try {
    return fieldsOf(JSON.parse(textOf(data)));
  } catch {
    return {};
  }
}
