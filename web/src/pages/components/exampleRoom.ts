/** A room of made-up people that is connected to nothing. */
import { ConnectionState, RemoteParticipant, Room } from 'livekit-client';

import { LINK } from '../../client/attributes';
import { ChatLog } from '../../room/chatLog';
import type { Wire } from '../../room/wire';
import { HAND } from '../../stage/hands';

// Short, long, from right to left, of one character, and one that tries to be markup.
const NAMES = [
  'Ada Lovelace',
  'Benedikt Alexander Maximilian von und zu Hohenlohe-Langenburg',
  'عائشة',
  '李明',
  '😀😃😄😁 emoji',
  '<img src=x onerror=alert(1)>',
  'Zoë',
];

const WEAK = JSON.stringify({ kbps: 300, cameras: false, screen: true, loss: 0 });
const AWAY = JSON.stringify({ kbps: 0, cameras: false, screen: false, loss: 0 });

export function exampleParticipant(number: number): RemoteParticipant {
  const name = NAMES[number % NAMES.length] ?? '';
  const attributes = {
    ...(number === 1 && { [HAND]: '1764350000000' }),
    ...(number === 2 && { [LINK]: WEAK }),
    ...(number === 3 && { [LINK]: AWAY }),
  };
  // Nothing is sent, so the participant needs no connection.
  return new RemoteParticipant({} as never, `PA_${number}`, `person-${number}`, name, '', attributes);
}

/** A wire to nowhere, with so many people. */
export function exampleWire(people: number): Wire {
  const room = new Room();
  // A getter of what the server sends at the join.
  Object.defineProperty(room, 'name', { value: 'Algebra' });
  room.state = ConnectionState.Connected;
  for (let number = 0; number < people - 1; number += 1) {
    const participant = exampleParticipant(number);
    room.remoteParticipants.set(participant.identity, participant);
  }
  const chat = new ChatLog();
  NAMES.forEach((name, index) => {
    const text = `Have a look at https://example.org/${index} and <b>tell me</b>`;
    chat.add({ from: `person-${index}`, name, text, atMs: 1_764_350_000_000 }, index === 0);
  });
  return {
    room,
    chat: {
      state: chat.state,
      setOpen: (open) => chat.setOpen(open),
      send: (text) => {
        chat.add({ from: '', name: 'Me', text, atMs: Date.now() }, true);
        return Promise.resolve();
      },
    },
    moderation: {
      allowed: () => true,
      isHost: ({ identity }) => identity === 'person-0',
      mute: () => Promise.resolve(),
      remove: () => Promise.resolve(),
    },
    network: {
      latest: () => ({ recvBitsPerSecond: 1_200_000, totalRecvPacketLoss: 0.02, networkRoundTripTime: 0.04 }),
      verdict: () => ({ state: 'warning', reasons: [] }),
    },
  };
}
