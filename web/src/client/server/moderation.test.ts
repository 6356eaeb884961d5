import type { Room } from 'livekit-client';
import { describe, expect, it } from 'vitest';

import { moderate } from './moderation';
import { RefusedError, type Fetch } from './server';

function setUp(microphone: { trackSid: string; isMuted: boolean } | undefined) {
  const asked: unknown[] = [];
  const fetcher: Fetch = (url, init) => {
    asked.push(url, new Headers(init.headers).get('authorization'), JSON.parse(init.body as string));
    return Promise.resolve(new Response('{}'));
  };
  const person = { getTrackPublication: () => microphone };
  const room = { name: 'maths', remoteParticipants: new Map([['ben', person]]) } as unknown as Room;
  return { asked, fetcher, room };
}

describe('moderate', () => {
  it('mutes the microphone that the participant publishes', async () => {
    const { asked, fetcher, room } = setUp({ trackSid: 'TR_1', isMuted: false });
    await moderate.mute('t', room, 'ben', fetcher);
    expect(asked).toEqual([
      '/twirp/livekit.RoomService/MutePublishedTrack',
      'Bearer t',
      { room: 'maths', identity: 'ben', track_sid: 'TR_1', muted: true },
    ]);
  });
  it.each([
    ['has no microphone', undefined, 'ben'],
    ['is muted', { trackSid: 'TR_1', isMuted: true }, 'ben'],
    ['has left', { trackSid: 'TR_1', isMuted: false }, 'zoe'],
  ])('asks nothing when the participant %s', async (_, microphone, identity) => {
    const { asked, fetcher, room } = setUp(microphone);
    await moderate.mute('t', room, identity, fetcher);
    expect(asked).toEqual([]);
  });
  it('removes, and passes a refusal on', async () => {
    const { asked, fetcher } = setUp(undefined);
    await moderate.remove('t', 'maths', 'ben', fetcher);
    expect(asked).toEqual([
      '/twirp/livekit.RoomService/RemoveParticipant',
      'Bearer t',
      { room: 'maths', identity: 'ben' },
    ]);
    const refusing: Fetch = () =>
      Promise.resolve(new Response('{"msg": "permissions denied"}', { status: 401 }));
    await expect(moderate.remove('t', 'maths', 'ben', refusing)).rejects.toThrow(
      new RefusedError('permissions denied'),
    );
  });
});
