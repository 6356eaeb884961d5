/** One visit to a meeting, from the door to the end. Changes are told to subscribers. */
import { DisconnectReason, RoomEvent, type Room } from 'livekit-client';

import type { Preview } from '../../client/media/preview';
import { createRoom, startSending, type Sending } from '../../client/media/room';
import type { DeviceKind } from '../../client/words';
import { DoorError, type Door, type Entrance, type Look, type Visit } from './door';
import { Meeting } from './meeting';
import { LEFT, overBy, type Step } from './step';

/** How to join; what is undefined is left to the room and the person. */
export interface JoinOptions {
  token: string;
  userName: string;
  startVideoOff: boolean | undefined;
  startAudioOff: boolean | undefined;
}

// How often somebody who waits asks whether the door was opened.
const KNOCK_INTERVAL_MS = 2000;

/** What the call needs of the world around it. */
export interface Surroundings {
  door: Door;
  preview: Preview;
  /** The server's WebSocket address, where the door names none. */
  signallingUrl: string;
  /** Keep the token for reloads. */
  keepToken: (token: string) => void;
  wait: (ms: number) => Promise<void>;
}

export class Call {
  private step: Step<Meeting> = { name: 'waiting' };
  private readonly listeners = new Set<() => void>();
  private options: JoinOptions = {
    token: '',
    userName: '',
    startVideoOff: undefined,
    startAudioOff: undefined,
  };
  // Counts attempts, so that what belongs to an earlier one is told from the present.
  private attempt = 0;
  private lastLook: Look | undefined;

  constructor(private readonly around: Surroundings) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): Step<Meeting> => this.step;

  get preview(): Preview {
    return this.around.preview;
  }

  /** What the door said last. */
  get look(): Look | undefined {
    return this.lastLook;
  }

  /** Undefined before it and after it. */
  get meeting(): Meeting | undefined {
    return this.step.name === 'meeting' ? this.step.meeting : undefined;
  }

  /** Come to the door: look, and enter at once where nothing is to be asked. */
  async join(options: JoinOptions): Promise<void> {
    const attempt = this.begin(options);
    try {
      const look = await this.around.door.look(options.token);
      if (attempt !== this.attempt) return;
      this.lastLook = look;
      this.around.keepToken(options.token);
      const userName = look.userName === '' ? options.userName : look.userName;
      // Who knocks has to have a name that the others can judge by.
      if (look.prejoin || (look.mustKnock && userName === '')) {
        this.set({ name: 'haircheck', look, userName, busy: false });
        return;
      }
      await this.openDevices(look);
      await this.enter(attempt, look, userName);
    } catch (error) {
      this.fail(attempt, error);
    }
  }

  /** Go on from the hair check, under this name. */
  async proceed(userName: string): Promise<void> {
    if (this.step.name !== 'haircheck' || this.step.busy) return;
    const { look } = this.step;
    const { attempt } = this;
    this.set({ ...this.step, userName, busy: true });
    try {
      await this.enter(attempt, look, userName);
    } catch (error) {
      this.fail(attempt, error);
    }
  }

  /** Take another name from now on; in a meeting it is the participant's to change. */
  rename(userName: string): void {
    this.options = { ...this.options, userName };
    if (this.step.name === 'haircheck' && this.step.look.userName === '')
      this.set({ ...this.step, userName });
  }

  /** Try the same again. */
  async again(): Promise<void> {
    if (this.step.name === 'over') await this.join(this.options);
  }

  /** Leave, or give up on entering. */
  leave(): void {
    const { step } = this;
    this.attempt += 1;
    this.around.preview.stop();
    if (step.name === 'meeting') {
      void step.meeting.room.disconnect();
      return;
    }
    if (step.name === 'knocking' && step.knock !== undefined) {
      this.around.door.giveUp(step.knock).catch(() => undefined);
    }
    this.set({ name: 'over', over: LEFT });
  }

  private begin(options: JoinOptions): number {
    this.options = options;
    this.attempt += 1;
    this.set({ name: 'waiting' });
    return this.attempt;
  }

  private async openDevices(look: Look): Promise<void> {
    const wanted = this.startingDevices(look);
    if (wanted.length > 0) await this.around.preview.start(wanted);
  }

  /** What is on at the start: the embedding page decides before the token and the room. */
  startingDevices(look: Look): DeviceKind[] {
    const { startAudioOff = look.startAudioOff, startVideoOff = look.startVideoOff } = this.options;
    return [...(startAudioOff ? [] : ['microphone' as const]), ...(startVideoOff ? [] : ['camera' as const])];
  }

  private async enter(attempt: number, look: Look, userName: string): Promise<void> {
    const { door, preview } = this.around;
    if (look.mustKnock) this.set({ name: 'knocking', look, userName, knock: undefined, denied: false });
    let entrance: Entrance = await door.enter(this.options.token, userName);
    while (attempt === this.attempt && entrance.state === 'waiting') {
      const { id } = entrance;
      this.set({ name: 'knocking', look, userName, knock: id, denied: false });
      await this.around.wait(KNOCK_INTERVAL_MS);
      if (attempt !== this.attempt) return;
      entrance = await door.waited(id);
    }
    if (attempt !== this.attempt) return;
    if (entrance.state === 'denied') {
      this.set({ name: 'knocking', look, userName, knock: undefined, denied: true });
      return;
    }
    if (entrance.state === 'entered') {
      await preview.settled();
      await this.connect(attempt, look, entrance);
    }
  }

  private async connect(attempt: number, look: Look, visit: Visit): Promise<void> {
    const { preview, signallingUrl } = this.around;
    const room = createRoom(preview.chosen());
    try {
      await room.connect(visit.url === '' ? signallingUrl : visit.url, visit.token);
    } catch (error) {
      throw new DoorError('connection-error', error instanceof Error ? error.message : '');
    }
    if (attempt !== this.attempt) {
      void room.disconnect();
      return;
    }
    room.once(RoomEvent.Disconnected, (reason) => this.end(room, reason));
    const devices = preview.snapshot();
    const { camera, microphone } = preview.release();
    const sending: Sending = { camera: camera ?? false, microphone: microphone ?? false };
    const meeting = new Meeting(room, this.around.door, visit.pass);
    this.set({ name: 'meeting', look, meeting });
    for (const kind of ['camera', 'microphone'] as const) {
      const slot = devices[kind];
      if (slot.state === 'failed') meeting.noteProblem(kind, slot.problem);
    }
    await startSending(room, sending, (kind, error) => meeting.deviceFailed(kind, error));
  }

  private end(room: Room, reason: DisconnectReason | undefined): void {
    if (this.meeting?.room !== room) return;
    this.set({ name: 'over', over: reason === undefined ? overBy('connection-error', '') : overFor(reason) });
  }

  private fail(attempt: number, error: unknown): void {
    if (attempt !== this.attempt) return;
    this.around.preview.stop();
    const { type, message } =
      error instanceof DoorError ? error : new DoorError('connection-error', String(error));
    this.set({ name: 'over', over: overBy(type, message) });
  }

  private set(step: Step<Meeting>): void {
    this.step = step;
    for (const listener of this.listeners) listener();
  }
}

function overFor(reason: DisconnectReason): ReturnType<typeof overBy> {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
      return LEFT;
    case DisconnectReason.PARTICIPANT_REMOVED:
    case DisconnectReason.DUPLICATE_IDENTITY:
      return overBy('ejected', 'You were removed from the meeting.');
    case DisconnectReason.ROOM_DELETED:
      return overBy('no-room', 'The room was deleted.');
    case DisconnectReason.ROOM_CLOSED:
      return overBy('exp-room', 'The room has closed.');
    default:
      return overBy('connection-error', 'The connection to the meeting was lost.');
  }
}
