/** Camera and microphone before joining: opened, switched and closed here, then handed over to the room. */
import type { LocalAudioTrack, LocalVideoTrack } from 'livekit-client';

import { Store, type Readable } from '../../store';
import { deviceProblem, type DeviceKind, type DeviceProblem } from './devices';

export interface PreviewTracks {
  camera: LocalVideoTrack;
  microphone: LocalAudioTrack;
}

export type Slot<T> =
  | { state: 'off' }
  | { state: 'opening' }
  | { state: 'on'; track: T }
  | { state: 'failed'; problem: DeviceProblem };

export type PreviewState = { readonly [K in DeviceKind]: Slot<PreviewTracks[K]> };

/** Opens the requested devices by id (empty where the browser chooses); throws what getUserMedia throws. */
export type OpenDevices = (ids: Partial<Record<DeviceKind, string>>) => Promise<Partial<PreviewTracks>>;

// `TrackEvent.Ended` of the client library, which this module does not load.
const ENDED = 'ended';

const KINDS: readonly DeviceKind[] = ['camera', 'microphone'];

/** A request that is superseded while the browser opens its device closes that device when it arrives. */
export class Preview {
  private readonly slots = new Store<PreviewState>({
    camera: { state: 'off' },
    microphone: { state: 'off' },
  });
  readonly state: Readable<PreviewState> = this.slots;
  private readonly ids: Record<DeviceKind, string>;
  private readonly wantedKinds: Record<DeviceKind, boolean> = { camera: true, microphone: true };
  // Each request for a device takes the next number; only the result of the latest one is used.
  private readonly latest: Record<DeviceKind, number> = { camera: 0, microphone: 0 };

  constructor(
    ids: Record<DeviceKind, string>,
    private readonly open: OpenDevices,
    private readonly secure: boolean,
  ) {
    this.ids = { ...ids };
  }

  /** Ids of the devices that were chosen last; empty where the browser chooses. */
  chosen(): Record<DeviceKind, string> {
    return { ...this.ids };
  }

  /** What the user last chose, on or off; leaving and joining again do not change it. */
  wanted(): Record<DeviceKind, boolean> {
    return { ...this.wantedKinds };
  }

  /** Record that the user turned a device on or off elsewhere. Opens and closes nothing. */
  want(kind: DeviceKind, on: boolean): void {
    this.wantedKinds[kind] = on;
  }

  /** Open the devices that the user did not turn off. */
  async resume(): Promise<void> {
    await this.start(KINDS.filter((kind) => this.wantedKinds[kind]));
  }

  /** Open these devices: first together, for which the browser asks once, and one by one if that fails. */
  async start(kinds: readonly DeviceKind[] = KINDS): Promise<void> {
    for (const kind of kinds) this.want(kind, true);
    const requests = kinds.map((kind) => ({ kind, number: this.request(kind) }));
    if (!this.secure) {
      for (const { kind, number } of requests) this.fail(kind, number, 'insecure');
      return;
    }
    if (requests.length > 1) {
      const together = await this.tryOpen(kinds);
      if (!(together instanceof Failure)) {
        for (const { kind, number } of requests) this.fill(kind, number, together);
        return;
      }
    }
    for (const { kind, number } of requests) {
      const opened = await this.tryOpen([kind]);
      if (opened instanceof Failure) this.fail(kind, number, opened.problem);
      else this.fill(kind, number, opened);
    }
  }

  /** Close a device, as the user chose. */
  turnOff(kind: DeviceKind): void {
    this.want(kind, false);
    this.shut(kind);
  }

  private shut(kind: DeviceKind): void {
    this.latest[kind] += 1;
    this.close(kind);
    this.set(kind, { state: 'off' });
  }

  /** Choose the device that the next `start` opens. */
  choose(kind: DeviceKind, id: string): void {
    this.ids[kind] = id;
  }

  /** Wait until no device is being opened: the browser's permission prompt may stay open for long. */
  async settled(): Promise<void> {
    while (KINDS.some((kind) => this.slot(kind).state === 'opening')) {
      await new Promise<void>((resolve) => {
        const unsubscribe = this.state.subscribe(() => {
          unsubscribe();
          resolve();
        });
      });
    }
  }

  /** Hand the open tracks over: they stay open, and the preview no longer owns them. */
  release(): Partial<PreviewTracks> {
    const { camera, microphone } = this.state.snapshot();
    for (const kind of KINDS) {
      this.latest[kind] += 1;
      this.set(kind, { state: 'off' });
    }
    return {
      ...(camera.state === 'on' && { camera: camera.track }),
      ...(microphone.state === 'on' && { microphone: microphone.track }),
    };
  }

  /** Close all devices; the user's choice is kept. */
  stop(): void {
    for (const kind of KINDS) this.shut(kind);
  }

  private request(kind: DeviceKind): number {
    this.close(kind);
    this.set(kind, { state: 'opening' });
    this.latest[kind] += 1;
    return this.latest[kind];
  }

  private async tryOpen(kinds: readonly DeviceKind[]): Promise<Partial<PreviewTracks> | Failure> {
    try {
      return await this.open(Object.fromEntries(kinds.map((kind) => [kind, this.ids[kind]])));
    } catch (error) {
      return new Failure(deviceProblem(error));
    }
  }

  private fill(kind: DeviceKind, number: number, opened: Partial<PreviewTracks>): void {
    const track = opened[kind];
    if (track === undefined) this.fail(kind, number, 'missing');
    else if (this.latest[kind] !== number) track.stop();
    else {
      track.once(ENDED, () => {
        this.lose(kind, track);
      });
      this.set(kind, { state: 'on', track });
    }
  }

  private fail(kind: DeviceKind, number: number, problem: DeviceProblem): void {
    if (this.latest[kind] === number) this.set(kind, { state: 'failed', problem });
  }

  private lose(kind: DeviceKind, track: PreviewTracks[DeviceKind]): void {
    const slot = this.slot(kind);
    if (slot.state === 'on' && slot.track === track) this.set(kind, { state: 'failed', problem: 'lost' });
  }

  private slot<K extends DeviceKind>(kind: K): PreviewState[K] {
    return this.state.snapshot()[kind];
  }

  private close(kind: DeviceKind): void {
    const slot = this.slot(kind);
    if (slot.state === 'on') slot.track.stop();
  }

  private set(kind: DeviceKind, slot: Slot<PreviewTracks[DeviceKind]>): void {
    this.slots.update({ [kind]: slot });
  }
}

class Failure {
  constructor(readonly problem: DeviceProblem) {}
}
