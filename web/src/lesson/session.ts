/** A lesson's wire: chat over LiveKit's text streams, moderation over its server API, as far as the token permits. */
import type { Participant, Room } from 'livekit-client';

import { NetworkWatch } from '../client/media/link/network';
import { moderate } from '../client/server/moderation';
import { t } from '../client/text/catalogue';
import { ChatLog } from '../room/chatLog';
import type { Chat, Moderation, Network, Wire } from '../room/wire';
import { shownName } from '../stage/names';

/** The topic of LiveKit's own components, so that their applications and this page share one chat. */
const CHAT_TOPIC = 'lk.chat';

export class LessonSession implements Wire {
  readonly chat: Chat;
  readonly moderation: Moderation;
  readonly network: Network;
  private notify: (words: string) => void = () => undefined;

  constructor(
    readonly room: Room,
    token: string,
    administers: boolean,
  ) {
    this.chat = chatOf(room);
    const ask = async (call: () => Promise<void>): Promise<void> => {
      try {
        await call();
      } catch (error) {
        this.notify(
          t('problem.moderate', { reason: error instanceof Error ? error.message : String(error) }),
        );
      }
    };
    this.moderation = {
      allowed: () => administers,
      mute: (identity) => ask(() => moderate.mute(token, room, identity)),
      remove: (identity) => ask(() => moderate.remove(token, room.name, identity)),
      isHost: ({ isLocal }: Participant) => isLocal && administers,
    };
    this.network = new NetworkWatch(room);
  }

  /** Hand messages for the user to a function. */
  onNotice(notify: (words: string) => void): void {
    this.notify = notify;
  }
}

function chatOf(room: Room): Chat {
  const log = new ChatLog();
  room.registerTextStreamHandler(CHAT_TOPIC, (reader, { identity }) => {
    void reader.readAll().then((text) => {
      const name = room.remoteParticipants.get(identity)?.name ?? '';
      log.add({ from: identity, name, text, atMs: Date.now() }, false);
    });
  });
  return {
    state: log.state,
    setOpen: (open) => log.setOpen(open),
    send: async (text) => {
      const me = room.localParticipant;
      await me.sendText(text, { topic: CHAT_TOPIC });
      log.add({ from: me.identity, name: shownName(me), text, atMs: Date.now() }, true);
    },
  };
}
