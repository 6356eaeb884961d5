/** Data saver: only sound and shared screens are received, and the user's camera is off. */
import {
  RemoteTrackPublication,
  RoomEvent,
  Track,
  type RemoteParticipant,
  type Room,
  type TrackPublication,
} from 'livekit-client';

import { Store, type Readable } from '../../store';
import { switchDevice } from './switching';

export class DataSaver {
  private readonly store = new Store<{ on: boolean }>({ on: false });
  readonly state: Readable<{ on: boolean }> = this.store;
  // What to subscribe to again: an application may have its own reasons for not subscribing to the others.
  private readonly left = new Set<RemoteTrackPublication>();
  private cameraWasOn = false;

  constructor(private readonly room: Room) {
    room.on(RoomEvent.TrackPublished, (publication) => {
      if (this.store.snapshot().on) this.leave(publication);
    });
    room.on(RoomEvent.TrackUnpublished, (publication) => this.left.delete(publication));
  }

  /** Turn data saver on or off. Throws if the camera cannot be opened again. */
  async set(on: boolean): Promise<void> {
    if (on === this.store.snapshot().on) return;
    this.store.set({ on });
    const me = this.room.localParticipant;
    if (on) {
      for (const participant of this.room.remoteParticipants.values()) this.leaveAll(participant);
      this.cameraWasOn = me.isCameraEnabled;
      if (this.cameraWasOn) await switchDevice(this.room, 'camera', false);
      return;
    }
    for (const publication of this.left) publication.setSubscribed(true);
    this.left.clear();
    if (this.cameraWasOn && !me.isCameraEnabled) await switchDevice(this.room, 'camera', true);
  }

  private leaveAll(participant: RemoteParticipant): void {
    for (const publication of participant.trackPublications.values()) this.leave(publication);
  }

  private leave(publication: TrackPublication): void {
    if (!(publication instanceof RemoteTrackPublication)) return;
    if (publication.source !== Track.Source.Camera || !publication.isDesired) return;
    publication.setSubscribed(false);
    this.left.add(publication);
  }
}
