/** One call: from the first request to the server, through hair check and knocking, to the end of the meeting. */
import { DisconnectReason, RoomEvent, type Room } from 'livekit-client';

import { followChoice, type Choice } from '../../client/media/devices/choice';
import type { DeviceKind } from '../../client/media/devices/devices';
import type { Preview } from '../../client/media/devices/preview';
import { createRoom, startSending, type Sending } from '../../client/media/sending/room';
import { Store, type Readable } from '../../client/store';
import { t } from '../../client/text/catalogue';
import { DoorError, type Admission, type Door, type EnterResult, type MeetingSettings } from './door';
import { Meeting } from './meeting';
import { endByError, endByLeaving, type Step } from './step';

/** How to join; the room and the user decide what is undefined. */
export interface JoinOptions {
  token: string;
  userName: string;
  startVideoOff: boolean | undefined;
  startAudioOff: boolean | undefined;
}

// How often a waiting person asks whether they were let in.
const KNOCK_INTERVAL_MS = 2000;

/** What a call uses from outside. */
export interface CallDependencies {
  door: Door;
  preview: Preview;
  /** The server's WebSocket address, used when the server names no other. */
  signallingUrl: string;
  /** Store the token for reloads. */
  keepToken: (token: string) => void;
  wait: (ms: number) => Promise<void>;
}

export class Call {
  private readonly steps = new Store<Step<Meeting>>({ name: 'waiting' });
  readonly state: Readable<Step<Meeting>> = this.steps;
  private options: JoinOptions = {
    token: '',
    userName: '',
    startVideoOff: undefined,
    startAudioOff: undefined,
  };
  // Each attempt to join takes the next number, so that responses to an earlier attempt can be ignored.
  private attempt = 0;
  private lastSettings: MeetingSettings | undefined;
  // What the user chose in the meeting that ended last, for joining it again.
  private last: { userName: string; choice: () => Choice } | undefined;
  // How often the page has tried to come back since it lost its meeting; undefined if it did not.
  private returning: number | undefined;

  constructor(private readonly deps: CallDependencies) {}

  get preview(): Preview {
    return this.deps.preview;
  }

  /** The settings that the server sent last. */
  get settings(): MeetingSettings | undefined {
    return this.lastSettings;
  }

  /** The current meeting; undefined before and after it. */
  get meeting(): Meeting | undefined {
    const { step } = this;
    return step.name === 'meeting' ? step.meeting : undefined;
  }

  /** Fetch the settings; then show the hair check, or enter at once where the user has nothing to decide. */
  async join(options: JoinOptions): Promise<void> {
    this.last = undefined;
    this.returning = undefined;
    await this.begin(options);
  }

  private async begin(options: JoinOptions): Promise<void> {
    this.options = options;
    this.attempt += 1;
    const { attempt, last } = this;
    this.steps.set({ name: 'waiting' });
    try {
      const settings = await this.deps.door.settings(options.token);
      if (attempt !== this.attempt) return;
      this.lastSettings = settings;
      this.deps.keepToken(options.token);
      const userName = settings.userName === '' ? (last?.userName ?? options.userName) : settings.userName;
      // Somebody who knocks needs a name, by which the people inside decide.
      if ((settings.prejoin && last === undefined) || (settings.mustKnock && userName === '')) {
        this.steps.set({ name: 'haircheck', settings, userName, busy: false });
        return;
      }
      await this.openDevices(settings);
      await this.enter(attempt, settings, userName);
    } catch (error) {
      this.fail(attempt, error);
    }
  }

  /** Continue from the hair check under this name. */
  async proceed(userName: string): Promise<void> {
    const { step, attempt } = this;
    if (step.name !== 'haircheck' || step.busy) return;
    this.steps.set({ ...step, userName, busy: true });
    try {
      await this.enter(attempt, step.settings, userName);
    } catch (error) {
      this.fail(attempt, error);
    }
  }

  /** Use another name when joining. In a meeting, the name is changed on the participant instead. */
  rename(userName: string): void {
    this.options = { ...this.options, userName };
    const { step } = this;
    if (step.name === 'haircheck' && step.settings.userName === '') this.steps.set({ ...step, userName });
  }

  /** Join again with the same options, and with the devices that were on. */
  async retry(): Promise<void> {
    if (this.step.name === 'over') await this.begin(this.options);
  }

  /** Stop trying to come back. */
  giveUp(): void {
    const { step } = this;
    this.returning = undefined;
    if (step.name === 'over') this.steps.set({ ...step, attempt: undefined });
  }

  /** Leave the meeting, or stop trying to enter it. */
  leave(): void {
    const { step } = this;
    this.attempt += 1;
    this.deps.preview.stop();
    if (step.name === 'meeting') {
      void step.meeting.room.disconnect();
      return;
    }
    if (step.name === 'knocking' && step.knock !== undefined) {
      this.deps.door.withdrawKnock(step.knock).catch(() => undefined);
    }
    this.steps.set({ name: 'over', over: endByLeaving(), attempt: undefined });
  }

  private async openDevices(settings: MeetingSettings): Promise<void> {
    const wanted = this.initialDevices(settings);
    if (wanted.length > 0) await this.deps.preview.start(wanted);
  }

  /** The devices that start turned on: the embedding page's options override those of the token and the room. */
  initialDevices(settings: MeetingSettings): DeviceKind[] {
    if (this.last !== undefined) {
      const choice = this.last.choice();
      return (['microphone', 'camera'] as const).filter((kind) => choice[kind]);
    }
    const { startAudioOff = settings.startAudioOff, startVideoOff = settings.startVideoOff } = this.options;
    return [...(startAudioOff ? [] : ['microphone' as const]), ...(startVideoOff ? [] : ['camera' as const])];
  }

  private async enter(attempt: number, settings: MeetingSettings, userName: string): Promise<void> {
    const { door, preview } = this.deps;
    if (settings.mustKnock)
      this.steps.set({ name: 'knocking', settings, userName, knock: undefined, denied: false });
    let result: EnterResult = await door.enter(this.options.token, userName);
    while (attempt === this.attempt && result.state === 'waiting') {
      const { id } = result;
      this.steps.set({ name: 'knocking', settings, userName, knock: id, denied: false });
      await this.deps.wait(KNOCK_INTERVAL_MS);
      if (attempt !== this.attempt) return;
      result = await door.knockStatus(id);
    }
    if (attempt !== this.attempt) return;
    if (result.state === 'denied') {
      this.steps.set({ name: 'knocking', settings, userName, knock: undefined, denied: true });
      return;
    }
    if (result.state === 'entered') {
      await preview.settled();
      await this.connect(attempt, settings, { ...result, userName });
    }
  }

  private async connect(
    attempt: number,
    settings: MeetingSettings,
    admission: Admission & { userName: string },
  ): Promise<void> {
    const { preview, signallingUrl } = this.deps;
    const room = createRoom(preview.chosen());
    try {
      await room.connect(admission.url === '' ? signallingUrl : admission.url, admission.token);
    } catch (error) {
      throw new DoorError('connection-error', error instanceof Error ? error.message : '');
    }
    if (attempt !== this.attempt) {
      void room.disconnect();
      return;
    }
    room.once(RoomEvent.Disconnected, (reason) => this.end(room, reason));
    this.returning = undefined;
    const devices = preview.state.snapshot();
    const { camera, microphone } = preview.release();
    const first = { camera: camera !== undefined, microphone: microphone !== undefined };
    this.last = { userName: admission.userName, choice: followChoice(room, first) };
    const sending: Sending = { camera: camera ?? false, microphone: microphone ?? false };
    const meeting = new Meeting(room, this.deps.door, admission.pass);
    this.steps.set({ name: 'meeting', settings, meeting });
    for (const kind of ['camera', 'microphone'] as const) {
      const slot = devices[kind];
      if (slot.state === 'failed') meeting.noteProblem(kind, slot.problem);
    }
    await startSending(room, sending, (kind, error) => meeting.deviceFailed(kind, error));
  }

  private end(room: Room, reason: DisconnectReason | undefined): void {
    if (this.meeting?.room !== room) return;
    const over = reason === undefined ? endByError('connection-error', '') : endByDisconnect(reason);
    this.returning = over.problem?.type === 'connection-error' ? 0 : undefined;
    this.steps.set({ name: 'over', over, attempt: this.returning });
  }

  private fail(attempt: number, error: unknown): void {
    if (attempt !== this.attempt) return;
    this.deps.preview.stop();
    const { type, message } =
      error instanceof DoorError ? error : new DoorError('connection-error', String(error));
    // A refusal is the server's verdict; only silence may pass.
    const mayPass = this.returning !== undefined && type === 'connection-error';
    this.returning = mayPass ? (this.returning ?? 0) + 1 : undefined;
    this.steps.set({ name: 'over', over: endByError(type, message), attempt: this.returning });
  }

  private get step(): Step<Meeting> {
    return this.steps.snapshot();
  }
}

function endByDisconnect(reason: DisconnectReason): ReturnType<typeof endByError> {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
      return endByLeaving();
    case DisconnectReason.PARTICIPANT_REMOVED:
    case DisconnectReason.DUPLICATE_IDENTITY:
      return endByError('ejected', t('daily.removed'));
    case DisconnectReason.ROOM_DELETED:
      return endByError('no-room', 'The room was deleted.');
    case DisconnectReason.ROOM_CLOSED:
      return endByError('exp-room', 'The room has closed.');
    default:
      return endByError('connection-error', 'The connection to the meeting was lost.');
  }
}
