/** What goes on in a meeting beside media: messages, chat, who waits, moderation, one's own devices, the network. */
import { ParticipantEvent, RoomEvent, type RemoteParticipant, type Room } from 'livekit-client';

import { deviceProblem, publishWords, type DeviceKind, type DeviceProblem } from '../../client/words';
import { DoorError, type Door, type ParticipantChange, type Waiting } from './door';
import { Levels } from './levels';
import { NetworkWatch } from './network';
import { appMessage, chatLine, chatMessage, readPacket, TOPIC, type ChatLine, type Packet } from './packets';
import type { Blocked, TrackName } from '../bridge/participant';
import { mayAdminister, type Knowledge } from './people';
import type { Verdict } from './stats';
import type { Fields } from '../bridge/wire';

export interface MeetingState {
  chat: readonly ChatLine[];
  /** Lines that came while nobody looked. */
  unread: number;
  waiting: readonly Waiting[];
  verdict: Verdict;
  /** What somebody has to know; empty: nothing. */
  notice: string;
}

/** What happens, for the embedding page. */
export interface MeetingEvents {
  appMessage: (data: unknown, from: string) => void;
  sessionData: (data: unknown) => void;
  verdict: (verdict: Verdict) => void;
  permissions: () => void;
  /** One's own camera or microphone does not work, or works again (undefined). */
  device: (kind: DeviceKind, problem: DeviceProblem | undefined) => void;
}

const NOTHING: MeetingEvents = {
  appMessage: () => undefined,
  sessionData: () => undefined,
  verdict: () => undefined,
  permissions: () => undefined,
  device: () => undefined,
};

// More lines than anybody scrolls back.
const MAX_LINES = 500;

const TRACK: Readonly<Record<DeviceKind, TrackName>> = { camera: 'video', microphone: 'audio' };

const BLOCKED: Readonly<Partial<Record<DeviceProblem, Blocked>>> = {
  denied: 'byPermissions',
  insecure: 'byPermissions',
  missing: 'byDeviceMissing',
  lost: 'byDeviceMissing',
  busy: 'byDeviceInUse',
};

export class Meeting {
  /** Set by the bridge. */
  events: MeetingEvents = NOTHING;
  readonly network: NetworkWatch;
  readonly levels = new Levels();
  /** As the application set them. */
  sendSettings: Fields = {};
  /** Encoding takes more than the computer has. */
  cpuConstrained = false;
  /** Every track is received without asking. */
  subscribesByItself = true;
  private state: MeetingState = {
    chat: [],
    unread: 0,
    waiting: [],
    verdict: { state: 'unknown', reasons: [] },
    notice: '',
  };
  private readonly listeners = new Set<() => void>();
  private readonly blocked: Partial<Record<TrackName, Blocked | undefined>> = {};
  private readonly changed = new Map<string, Fields>();
  private chatIsOpen = false;

  constructor(
    readonly room: Room,
    private readonly door: Door,
    private readonly pass: string,
  ) {
    this.network = new NetworkWatch(room, (verdict) => {
      this.set({ verdict });
      this.events.verdict(verdict);
    });
    room
      .on(RoomEvent.DataReceived, this.receive)
      .on(RoomEvent.TrackPublished, (publication) => {
        if (!this.subscribesByItself) publication.setSubscribed(false);
      })
      .once(RoomEvent.Disconnected, () => {
        this.network.stop();
        this.levels.stopAll();
      });
    room.localParticipant
      .on(ParticipantEvent.AttributesChanged, this.askWhoWaits)
      .on(ParticipantEvent.LocalTrackCpuConstrained, () => {
        this.cpuConstrained = true;
      });
    this.askWhoWaits();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): MeetingState => this.state;

  get known(): Knowledge {
    return { blocked: this.blocked, changed: this.changed };
  }

  /** Whether one may mute and remove others, and let people in. */
  get administers(): boolean {
    return mayAdminister(this.room.localParticipant, this.known);
  }

  /** Turn a device on or off. */
  async turn(kind: DeviceKind, on: boolean): Promise<void> {
    const me = this.room.localParticipant;
    try {
      await (kind === 'camera' ? me.setCameraEnabled(on) : me.setMicrophoneEnabled(on));
      if (on) this.deviceWorks(kind);
    } catch (error) {
      this.deviceFailed(kind, error);
    }
  }

  /** Send an application's message to somebody, or to all. */
  async send(data: unknown, to: readonly string[] | '*'): Promise<void> {
    await this.room.localParticipant.publishData(appMessage(data), {
      reliable: true,
      topic: TOPIC,
      ...(to !== '*' && { destinationIdentities: [...to] }),
    });
  }

  /** Send a line of chat. */
  async say(text: string): Promise<void> {
    const me = this.room.localParticipant;
    const message = chatMessage(me.name ?? '', text, Date.now());
    await this.send(message, '*');
    this.addLine(chatLine(message, me.identity, Date.now()));
  }

  /** Whether somebody reads the chat. */
  readChat(open: boolean): void {
    this.chatIsOpen = open;
    if (open && this.state.unread > 0) this.set({ unread: 0 });
  }

  /** Mute, remove, or change what somebody may do; what is not allowed is told to the user. */
  async change(sessionId: string, change: ParticipantChange): Promise<void> {
    await this.atDoor(() => this.door.change(this.pass, sessionId, change));
  }

  /** Let somebody in, or not. */
  async answer(id: string, grant: boolean): Promise<void> {
    this.set({ waiting: this.state.waiting.filter((each) => each.id !== id) });
    await this.atDoor(() => this.door.answer(this.pass, id, grant));
  }

  notify(notice: string): void {
    this.set({ notice });
  }

  /** Note that a device does not work. */
  deviceFailed(kind: DeviceKind, error: unknown): void {
    this.notify(publishWords(kind, error, window.isSecureContext));
    this.noteProblem(kind, window.isSecureContext ? deviceProblem(error) : 'insecure');
  }

  /** Note what is wrong with a device, of which the user knows already. */
  noteProblem(kind: DeviceKind, problem: DeviceProblem): void {
    this.blocked[TRACK[kind]] = BLOCKED[problem];
    this.events.device(kind, problem);
  }

  private deviceWorks(kind: DeviceKind): void {
    if (this.blocked[TRACK[kind]] === undefined) return;
    this.blocked[TRACK[kind]] = undefined;
    this.notify('');
    this.events.device(kind, undefined);
  }

  private readonly receive = (
    payload: Uint8Array,
    sender?: RemoteParticipant,
    _?: unknown,
    topic?: string,
  ): void => {
    if (topic !== TOPIC) return;
    const packet = readPacket(payload, sender?.identity ?? '');
    if (packet !== undefined) this.take(packet);
  };

  private take(packet: Packet): void {
    switch (packet.kind) {
      case 'app-message':
        this.addLine(chatLine(packet.data, packet.from, Date.now()));
        this.events.appMessage(packet.data, packet.from);
        break;
      case 'session-data':
        this.events.sessionData(packet.data);
        break;
      case 'permissions':
        this.changed.set(packet.sessionId, packet.permissions);
        this.set({});
        this.events.permissions();
        break;
      case 'waiting':
        this.askWhoWaits();
        break;
    }
  }

  private addLine(line: ChatLine | undefined): void {
    if (line === undefined) return;
    const unread = this.chatIsOpen || this.isMe(line.from) ? this.state.unread : this.state.unread + 1;
    this.set({ chat: [...this.state.chat, line].slice(-MAX_LINES), unread });
  }

  private isMe(sessionId: string): boolean {
    return sessionId === this.room.localParticipant.identity;
  }

  private readonly askWhoWaits = (): void => {
    if (!this.administers) return;
    this.door.waiting(this.pass).then(
      (waiting) => this.set({ waiting }),
      // The next knock asks again.
      () => undefined,
    );
  };

  private async atDoor(call: () => Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.set({ notice: error instanceof DoorError ? error.message : String(error) });
    }
  }

  private set(change: Partial<MeetingState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}
