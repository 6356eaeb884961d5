/** A meeting apart from its media: messages, chat, waiting people, moderation, the user's devices, and the network. */
import { ParticipantEvent, RoomEvent, type RemoteParticipant, type Room } from 'livekit-client';

import { TOPIC } from '../../client/attributes';
import type { Fields } from '../../client/json';
import { deviceProblem, type DeviceKind, type DeviceProblem } from '../../client/media/devices/devices';
import { NetworkWatch } from '../../client/media/link/network';
import type { Verdict } from '../../client/media/link/stats';
import { switchDevice } from '../../client/media/sending/switching';
import { Store, type Readable } from '../../client/store';
import { publishWords } from '../../client/words';
import { ChatLog, type ChatLine } from '../../room/chatLog';
import type { Wire } from '../../room/wire';
import { DoorError, type Door, type ParticipantChange, type WaitingPerson } from './door';
import { LevelObservers } from './levels';
import {
  appMessage,
  chatLine,
  chatMessage,
  readPacket,
  type Packet,
  type TranscriptionEvent,
} from './packets';
import { isOwner, mayAdminister, type BlockedReason, type LocalFacts, type TrackName } from './people';

export interface MeetingState {
  waiting: readonly WaitingPerson[];
  verdict: Verdict;
  /** A message for the user; empty when there is none. */
  notice: string;
}

/** Events for the embedding page. */
export interface MeetingEvents {
  appMessage: (data: unknown, from: string) => void;
  transcription: (event: TranscriptionEvent, facts: Fields) => void;
  sharedData: (data: unknown) => void;
  verdict: (verdict: Verdict) => void;
  permissions: () => void;
  /** The user's own camera or microphone does not work, or works again (undefined). */
  device: (kind: DeviceKind, problem: DeviceProblem | undefined) => void;
}

const NO_EVENTS: MeetingEvents = {
  appMessage: () => undefined,
  transcription: () => undefined,
  sharedData: () => undefined,
  verdict: () => undefined,
  permissions: () => undefined,
  device: () => undefined,
};

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
    waiting: [],
    verdict: { state: 'unknown', reasons: [] },
    notice: '',
  });
  readonly state: Readable<MeetingState> = this.store;
  private readonly blocked: Partial<Record<TrackName, BlockedReason | undefined>> = {};
  private readonly changed = new Map<string, Fields>();
  private readonly log = new ChatLog();
  private readonly parts: Wire;

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
    this.parts = {
      room,
      chat: {
        state: this.log.state,
        send: (text) => this.sendChat(text),
        setOpen: (open) => this.log.setOpen(open),
      },
      moderation: {
        allowed: () => this.administers,
        mute: (identity) => this.changeParticipant(identity, { setAudio: false }),
        remove: (identity) => this.changeParticipant(identity, { eject: true }),
        isHost: isOwner,
      },
      network: {
        latest: () => this.network.latest(),
        verdict: () => this.state.snapshot().verdict,
      },
    };
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
    try {
      await switchDevice(this.room, kind, on);
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

  /** What the screens of all rooms use. */
  get wire(): Wire {
    return this.parts;
  }

  /** Send a line of chat. */
  async sendChat(text: string): Promise<void> {
    const me = this.room.localParticipant;
    const message = chatMessage(me.name ?? '', text, Date.now());
    await this.sendAppMessage(message, '*');
    this.addLine(chatLine(message, me.identity, Date.now()));
  }

  /** Mute or remove a participant, or change their permissions. A refusal becomes a notice. */
  async changeParticipant(identity: string, change: ParticipantChange): Promise<void> {
    await this.askDoor(() => this.door.changeParticipant(this.pass, identity, change));
  }

  /** Start, change or stop the transcription. DoorError. */
  async transcribe(change: Fields): Promise<void> {
    await this.door.transcribe(this.pass, change);
  }

  /** Start or stop the recording. DoorError. */
  async record(on: boolean, type?: string, instanceId?: string): Promise<void> {
    await this.door.record(this.pass, on, type, instanceId);
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
      case 'transcription':
        this.events.transcription(packet.event, packet.facts);
        break;
      case 'waiting':
        this.refreshWaiting();
        break;
    }
  }

  private addLine(line: ChatLine | undefined): void {
    if (line !== undefined) this.log.add(line, line.from === this.room.localParticipant.identity);
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
