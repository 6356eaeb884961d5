/** A meeting apart from its media: messages, chat, waiting people, moderation, the user's devices, and the network. */
import { ParticipantEvent, RoomEvent, type RemoteParticipant, type Room } from 'livekit-client';

import { TOPIC } from '../../client/attributes';
import type { Fields } from '../../client/json';
import { deviceProblem, type DeviceKind, type DeviceProblem } from '../../client/media/devices';
import { Store, type Readable } from '../../client/store';
import { publishWords } from '../../client/words';
import { DoorError, type Door, type ParticipantChange, type WaitingPerson } from './door';
import { LevelObservers } from './levels';
import { NetworkWatch } from './network';
import { appMessage, chatLine, chatMessage, readPacket, type ChatLine, type Packet } from './packets';
import { mayAdminister, type BlockedReason, type LocalFacts, type TrackName } from './people';
import type { Verdict } from './stats';

export interface MeetingState {
  chat: readonly ChatLine[];
  /** Lines that arrived while the chat was closed. */
  unread: number;
  waiting: readonly WaitingPerson[];
  verdict: Verdict;
  /** A message for the user; empty when there is none. */
  notice: string;
}

/** Events for the embedding page. */
export interface MeetingEvents {
  appMessage: (data: unknown, from: string) => void;
  sharedData: (data: unknown) => void;
  verdict: (verdict: Verdict) => void;
  permissions: () => void;
  /** The user's own camera or microphone does not work, or works again (undefined). */
  device: (kind: DeviceKind, problem: DeviceProblem | undefined) => void;
}

const NO_EVENTS: MeetingEvents = {
  appMessage: () => undefined,
  sharedData: () => undefined,
  verdict: () => undefined,
  permissions: () => undefined,
  device: () => undefined,
};

// More than anybody scrolls back.
const MAX_LINES = 500;

const TRACK_NAME: Readonly<Record<DeviceKind, TrackName>> = { camera: 'video', microphone: 'audio' };

const BLOCKED: Readonly<Partial<Record<DeviceProblem, BlockedReason>>> = {
  denied: 'byPermissions',
  insecure: 'byPermissions',
  missing: 'byDeviceMissing',
  lost: 'byDeviceMissing',
  busy: 'byDeviceInUse',
};

export class Meeting {
  /** Set by the bridge. */
  events: MeetingEvents = NO_EVENTS;
  readonly network: NetworkWatch;
  readonly levels = new LevelObservers();
  /** daily-js's send settings, as the application set them. */
  sendSettings: Fields = {};
  /** The computer is too slow for encoding. */
  cpuConstrained = false;
  /** Whether tracks are subscribed to as soon as they are published. */
  autoSubscribe = true;
  private readonly store = new Store<MeetingState>({
    chat: [],
    unread: 0,
    waiting: [],
    verdict: { state: 'unknown', reasons: [] },
    notice: '',
  });
  readonly state: Readable<MeetingState> = this.store;
  private readonly blocked: Partial<Record<TrackName, BlockedReason | undefined>> = {};
  private readonly changed = new Map<string, Fields>();
  private chatIsOpen = false;

  constructor(
    readonly room: Room,
    private readonly door: Door,
    private readonly pass: string,
  ) {
    this.network = new NetworkWatch(room, (verdict) => {
      this.store.update({ verdict });
      this.events.verdict(verdict);
    });
    room
      .on(RoomEvent.DataReceived, this.receive)
      .on(RoomEvent.TrackPublished, (publication) => {
        if (!this.autoSubscribe) publication.setSubscribed(false);
      })
      .once(RoomEvent.Disconnected, () => {
        this.network.stop();
        this.levels.stopAll();
      });
    room.localParticipant
      .on(ParticipantEvent.AttributesChanged, this.refreshWaiting)
      .on(ParticipantEvent.LocalTrackCpuConstrained, () => {
        this.cpuConstrained = true;
      });
    this.refreshWaiting();
  }

  get localFacts(): LocalFacts {
    return { blocked: this.blocked, changed: this.changed };
  }

  /** Whether the user may mute and remove others, and let people in. */
  get administers(): boolean {
    return mayAdminister(this.room.localParticipant, this.localFacts);
  }

  /** Turn a device on or off. */
  async setDevice(kind: DeviceKind, on: boolean): Promise<void> {
    const me = this.room.localParticipant;
    try {
      await (kind === 'camera' ? me.setCameraEnabled(on) : me.setMicrophoneEnabled(on));
      if (on) this.noteWorking(kind);
    } catch (error) {
      this.deviceFailed(kind, error);
    }
  }

  /** Send an application's message to some participants, or to all (`*`). */
  async sendAppMessage(data: unknown, to: readonly string[] | '*'): Promise<void> {
    await this.room.localParticipant.publishData(appMessage(data), {
      reliable: true,
      topic: TOPIC,
      ...(to !== '*' && { destinationIdentities: [...to] }),
    });
  }

  /** Send a line of chat. */
  async sendChat(text: string): Promise<void> {
    const me = this.room.localParticipant;
    const message = chatMessage(me.name ?? '', text, Date.now());
    await this.sendAppMessage(message, '*');
    this.addLine(chatLine(message, me.identity, Date.now()));
  }

  /** Note that the chat was opened or closed. */
  setChatOpen(open: boolean): void {
    this.chatIsOpen = open;
    if (open && this.state.snapshot().unread > 0) this.store.update({ unread: 0 });
  }

  /** Mute or remove a participant, or change their permissions. A refusal becomes a notice. */
  async changeParticipant(identity: string, change: ParticipantChange): Promise<void> {
    await this.askDoor(() => this.door.changeParticipant(this.pass, identity, change));
  }

  /** Let somebody in, or deny it. */
  async answerKnock(id: string, grant: boolean): Promise<void> {
    this.store.update({ waiting: this.state.snapshot().waiting.filter((each) => each.id !== id) });
    await this.askDoor(() => this.door.answerKnock(this.pass, id, grant));
  }

  notify(notice: string): void {
    this.store.update({ notice });
  }

  /** Note that a device failed, and tell the user. */
  deviceFailed(kind: DeviceKind, error: unknown): void {
    this.notify(publishWords(kind, error, window.isSecureContext));
    this.noteProblem(kind, window.isSecureContext ? deviceProblem(error) : 'insecure');
  }

  /** Note that a device failed, of which the user knows already. */
  noteProblem(kind: DeviceKind, problem: DeviceProblem): void {
    this.blocked[TRACK_NAME[kind]] = BLOCKED[problem];
    this.events.device(kind, problem);
  }

  private noteWorking(kind: DeviceKind): void {
    if (this.blocked[TRACK_NAME[kind]] === undefined) return;
    this.blocked[TRACK_NAME[kind]] = undefined;
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
    if (packet !== undefined) this.handle(packet);
  };

  private handle(packet: Packet): void {
    switch (packet.kind) {
      case 'app-message':
        this.addLine(chatLine(packet.data, packet.from, Date.now()));
        this.events.appMessage(packet.data, packet.from);
        break;
      case 'session-data':
        this.events.sharedData(packet.data);
        break;
      case 'permissions':
        this.changed.set(packet.identity, packet.permissions);
        this.store.update({});
        this.events.permissions();
        break;
      case 'waiting':
        this.refreshWaiting();
        break;
    }
  }

  private addLine(line: ChatLine | undefined): void {
    if (line === undefined) return;
    const { chat, unread } = this.state.snapshot();
    const isRead = this.chatIsOpen || this.isMe(line.from);
    this.store.update({ chat: [...chat, line].slice(-MAX_LINES), unread: isRead ? unread : unread + 1 });
  }

  private isMe(identity: string): boolean {
    return identity === this.room.localParticipant.identity;
  }

  private readonly refreshWaiting = (): void => {
    if (!this.administers) return;
    this.door.waitingPeople(this.pass).then(
      (waiting) => this.store.update({ waiting }),
      // The next knock triggers another request.
      () => undefined,
    );
  };

  private async askDoor(call: () => Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.store.update({ notice: error instanceof DoorError ? error.message : String(error) });
    }
  }
}
