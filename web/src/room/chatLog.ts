/** The lines of a chat and the number of unread ones, for any transport. */
import { Store, type Readable } from '../client/store';

export interface ChatLine {
  /** Identity of the sender. */
  from: string;
  name: string;
  text: string;
  atMs: number;
  /** Other readers; absent or empty if everybody reads it. */
  note?: string;
}

export interface ChatState {
  lines: readonly ChatLine[];
  /** Lines from others that were received while the chat was closed. */
  unread: number;
}

// More than people scroll back.
const MAX_LINES = 500;

export class ChatLog {
  private readonly store = new Store<ChatState>({ lines: [], unread: 0 });
  readonly state: Readable<ChatState> = this.store;
  private isOpen = false;

  /** Add a line; `own` lines are never unread. */
  add(line: ChatLine, own: boolean): void {
    const { lines, unread } = this.store.snapshot();
    this.store.set({
      lines: [...lines, line].slice(-MAX_LINES),
      unread: own || this.isOpen ? unread : unread + 1,
    });
  }

  /** Record whether the chat is open. */
  setOpen(open: boolean): void {
    this.isOpen = open;
    if (open && this.store.snapshot().unread > 0) this.store.update({ unread: 0 });
  }
}
