/** A session's wire: chat and moderation use the session's commands, so that its rules apply and its log records them. */
import type { Participant, Room } from 'livekit-client';

import type { FollowedSession } from '../../client/classroom/live/session';
import { nameOf, type SessionState } from '../../client/classroom/live/state';
import type { Message } from '../../client/classroom/live/work/chat';
import { isStaff } from '../../client/classroom/sessions';
import { problemWords } from '../../client/classroom/words';
import { NetworkWatch } from '../../client/media/link/network';
import { Store } from '../../client/store';
import { s } from '../../client/text/sessions/texts';
import type { ChatLine, ChatState } from '../../room/chatLog';
import type { Chat, Moderation, Network, Wire } from '../../room/wire';

export class SessionWire implements Wire {
  readonly chat: Chat;
  readonly moderation: Moderation;
  readonly network: Network;
  private notify: (words: string) => void = () => undefined;

  constructor(
    readonly room: Room,
    readonly session: FollowedSession,
    private readonly me: string,
  ) {
    this.chat = chatOf(session, me);
    const staff = (person: string): boolean => {
      const found = this.inside()?.people.present.find(({ id }) => id === person);
      return found !== undefined && isStaff(found.role);
    };
    this.moderation = {
      allowed: () => staff(this.me),
      mute: (person) => this.run(() => session.command('/moderation/mute', { person })).then(nothing),
      remove: (person) => this.run(() => session.command('/moderation/remove', { person })).then(nothing),
      isHost: ({ identity }: Participant) => staff(identity),
    };
    this.network = new NetworkWatch(room);
  }

  /** Set the function that shows messages to the user. */
  onNotice(notify: (words: string) => void): void {
    this.notify = notify;
  }

  /** Run a command; a refusal is shown to the user. Returns whether it succeeded. */
  async run(call: () => Promise<unknown>): Promise<boolean> {
    try {
      await call();
      return true;
    } catch (error) {
      this.notify(problemWords(error));
      return false;
    }
  }

  /** Show a message to the user. */
  tell(words: string): void {
    this.notify(words);
  }

  private inside(): SessionState | undefined {
    return this.session.state.snapshot().inside;
  }
}

const nothing = (): void => undefined;

/** The chat as lines. In a breakout, messages go to the people of the breakout. */
function chatOf(session: FollowedSession, me: string): Chat {
  const store = new Store<ChatState>({ lines: [], unread: 0 });
  let open = false;
  let seen: number | undefined;
  const update = (): void => {
    const { inside } = session.state.snapshot();
    if (inside === undefined) return;
    const { messages } = inside.chat;
    const lines = messages.filter(({ deleted }) => !deleted).map((message) => lineOf(inside, message, me));
    // Messages written before this page joined are not new.
    seen ??= messages.at(-1)?.at ?? 0;
    const before = seen;
    const fresh = messages.filter(({ at, by }) => at > before && by !== me).length;
    if (open) seen = messages.at(-1)?.at ?? seen;
    const next = { lines, unread: open ? 0 : fresh };
    const last = store.snapshot();
    const same =
      last.unread === next.unread &&
      last.lines.length === lines.length &&
      last.lines.every(
        (line, index) =>
          line.text === lines[index]?.text &&
          line.note === lines[index].note &&
          line.name === lines[index].name,
      );
    if (!same) store.set(next);
  };
  session.state.subscribe(update);
  update();
  return {
    state: store,
    setOpen: (wanted) => {
      open = wanted;
      update();
    },
    send: async (text) => {
      const breakouts = session.state.snapshot().inside?.breakouts;
      const inBreakout = breakouts?.open === true && breakouts.mine !== '';
      await session.command(
        '/chat',
        inBreakout ? { text, scope: 'breakout', target: breakouts.mine } : { text },
      );
    },
  };
}

function lineOf(state: SessionState, message: Message, me: string): ChatLine {
  const { by, text, at } = message;
  return { from: by, name: nameOf(state, by), text, atMs: at * 1000, note: noteOf(state, message, me) };
}

/** Other readers of a message; empty if everybody reads it. */
export function noteOf(state: SessionState, { scope, target, held }: Message, me: string): string {
  if (held) return s('chat.held');
  switch (scope) {
    case 'all':
      return '';
    case 'staff':
      return s('chat.staff');
    case 'breakout':
      return s('chat.breakout');
    case 'person':
      return target === me ? s('chat.toYou') : s('chat.private', { name: nameOf(state, target) });
  }
}
