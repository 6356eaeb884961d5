/** A session's wire: chat and moderation use the session's commands, so that its rules apply and its log records them. */
import type { Participant, Room } from 'livekit-client';

import type { FollowedSession } from '../../client/classroom/live/session';
import type { SessionState } from '../../client/classroom/live/state';
import { isStaff } from '../../client/classroom/sessions';
import { problemWords } from '../../client/classroom/words';
import { NetworkWatch } from '../../client/media/link/network';
import type { Chat, Moderation, Network, Wire } from '../../room/wire';
import { chatOf } from './chat';

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
    this.chat = chatOf(session, me, (call) => this.run(call));
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
