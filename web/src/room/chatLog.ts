/** The lines of a chat and how many of them are unread, whatever wire they came over. */
import { Store, type Readable } from '../client/store';

export interface ChatLine {
  /** Identity of the sender. */
  from: string;
  name: string;
  text: string;
  atMs: number;
  /** Who else reads it; absent or empty if all do. */
  note?: string;
}

export interface ChatState {
  lines: readonly ChatLine[];
  /** Lines of others that arrived while the chat was closed. */
  unread: number;
}

// More than anybody scrolls back.
const MAX_LINES = 500;

export class ChatLog {
  private readonly store = new Store<ChatState>({ lines: [], unread: 0 });
  readonly state: Readable<ChatState> = this.store;
  private isOpen = false;

  /** Add a line; `own` ones are never unread. */
  add(line: ChatLine, own: boolean): void {
    const { lines, unread } = this.store.snapshot();
    this.store.set({
      lines: [...lines, line].slice(-MAX_LINES),
      unread: own || this.isOpen ? unread : unread + 1,
    });
  }

  /** Note that the chat was opened or closed. */
  setOpen(open: boolean): void {
    this.isOpen = open;
    if (open && this.store.snapshot().unread > 0) this.store.update({ unread: 0 });
  }
}
