/** Mutes and removes participants over LiveKit's server API, with the user's own token if it administers the room. */
import { Track, type Room } from 'livekit-client';

import { request, type Fetch } from './server';

const SERVICE = '/twirp/livekit.RoomService';

export const moderate = {
  /** Mute a participant's microphone; does nothing if they publish none. */
  async mute(token: string, room: Room, identity: string, fetcher?: Fetch): Promise<void> {
    const publication = room.remoteParticipants.get(identity)?.getTrackPublication(Track.Source.Microphone);
    if (publication === undefined || publication.isMuted) return;
    const body = { room: room.name, identity, track_sid: publication.trackSid, muted: true };
    await call('MutePublishedTrack', token, body, fetcher);
  },

  async remove(token: string, room: string, identity: string, fetcher?: Fetch): Promise<void> {
    await call('RemoveParticipant', token, { room, identity }, fetcher);
  },
};

async function call(method: string, token: string, body: object, fetcher?: Fetch): Promise<void> {
  await request(fetcher, `${SERVICE}/${method}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
}
