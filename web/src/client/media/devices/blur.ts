/**
 * Blurs the background of the user's camera, where the browser or the camera can (W3C Media Capture and Streams Extensions,
 * `backgroundBlur`). Nothing is loaded or computed for it here. See docs/decisions/web-background-blur.md.
 */
import { TrackEvent, type LocalVideoTrack } from 'livekit-client';

import { recallBlur, rememberBlur, storage } from '../../storage';
import { Store, type Readable } from '../../store';

type Blurrable = Pick<MediaStreamTrack, 'getCapabilities' | 'getConstraints' | 'applyConstraints'>;
type Followed = Pick<LocalVideoTrack, 'on' | 'mediaStreamTrack'>;

/** Whether the page can turn the blur of a camera on and off. Some systems prescribe one of the two. */
export function canBlur(track: Blurrable): boolean {
  // Firefox reports no capabilities of cameras before version 132.
  const { getCapabilities } = track as Partial<Blurrable>;
  const modes: readonly boolean[] = getCapabilities?.call(track).backgroundBlur ?? [];
  return modes.includes(true) && modes.includes(false);
}

/** The user's choice, applied to each camera that is opened, and again whenever its track is restarted. */
export class Blur {
  private readonly store: Store<{ on: boolean; possible: boolean }>;
  readonly state: Readable<{ on: boolean; possible: boolean }>;
  private readonly followed = new WeakSet<Followed>();
  private current: Followed | undefined;

  constructor(
    on: boolean,
    private readonly save: (on: boolean) => void,
  ) {
    this.store = new Store({ on, possible: false });
    this.state = this.store;
  }

  /** Follow a camera's track. LiveKit restarts it to switch devices and when it is unmuted. */
  follow(track: Followed): void {
    this.current = track;
    if (!this.followed.has(track)) {
      this.followed.add(track);
      track.on(TrackEvent.Restarted, () => {
        if (this.current === track) void this.start();
      });
    }
    void this.start();
  }

  /** Turn the blur on or off. */
  async set(on: boolean): Promise<void> {
    this.save(on);
    this.store.update({ on });
    await this.apply();
  }

  private async start(): Promise<void> {
    const track = this.current?.mediaStreamTrack;
    this.store.update({ possible: track !== undefined && canBlur(track) });
    // Nobody's camera is touched before the blur was chosen.
    if (this.store.snapshot().on) await this.apply();
  }

  private async apply(): Promise<void> {
    const track = this.current?.mediaStreamTrack;
    if (track === undefined || !canBlur(track)) return;
    const constraints = { ...track.getConstraints(), backgroundBlur: this.store.snapshot().on };
    // A track that has ended rejects constraints; the next one gets them.
    await track.applyConstraints(constraints).catch(() => undefined);
  }
}

/** The choice of this browser. */
export const blur = new Blur(recallBlur(storage('localStorage')), (on) =>
  rememberBlur(storage('localStorage'), on),
);
