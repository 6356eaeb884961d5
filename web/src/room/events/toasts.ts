/** Short messages about what happens in a room. They are shown for a while and read out by screen readers. */
import { Store, type Readable } from '../../client/store';

export interface Toast {
  id: number;
  text: string;
  /** `important` ones interrupt a screen reader and stay longer. */
  important: boolean;
}

interface ToastsState {
  items: readonly Toast[];
}

// More would cover the pictures.
const MOST = 4;

export class Toasts {
  private readonly store = new Store<ToastsState>({ items: [] });
  readonly state: Readable<ToastsState> = this.store;
  private next = 0;

  say(text: string, important = false): void {
    this.next += 1;
    const { items } = this.store.snapshot();
    this.store.set({ items: [...items, { id: this.next, text, important }].slice(-MOST) });
  }

  dismiss(id: number): void {
    this.store.set({ items: this.store.snapshot().items.filter((toast) => toast.id !== id) });
  }
}

/** How long a message is shown: long enough to read it twice, at 15 characters a second. */
export function shownMs({ text, important }: Pick<Toast, 'text' | 'important'>): number {
  return Math.max(important ? 8000 : 4000, (2 * text.length * 1000) / 15);
}
