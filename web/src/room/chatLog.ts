/** The lines of a chat and the number of unread ones, for any transport. */
import { Store, type Readable } from '../client/store';
import type { MenuEntry } from '../ui/controls/Menu';

/** What a user may do with a line. */
export interface LineAction extends Pick<MenuEntry, 'id' | 'icon' | 'label'> {
  /** The question that is asked before. */
  ask?: { title: string; detail: string };
  /** The user changes the text first. */
  edits?: boolean;
  /** Reports a refusal to the user itself. */
  run: (text: string) => void;
}

export interface ChatLine {
  /** Only lines that can change have one. */
  id?: string;
  /** Identity of the sender. */
  from: string;
  name: string;
  text: string;
  atMs: number;
  /** Other readers; absent or empty if everybody reads it. */
  note?: string;
  pinned?: boolean;
  actions?: readonly LineAction[];
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
