/** The whiteboard of a recording at any time: its updates are applied up to that time, and again from the start after a jump back. */
import { applyUpdate, Doc } from 'yjs';

import { fromBase64 } from '../../client/classroom/board/base64';
import { readItem, type Item } from '../../client/classroom/board/items';
import { applyBoard, type Board } from '../../client/classroom/live/work/board';
import type { BoardEvent } from '../../client/recordings/board';

export interface Drawn {
  /** Id of the page that was shown; empty while there was none. */
  page: string;
  items: readonly Item[];
}

const NO_PAGES: Board = { pages: [], current: '' };

interface Update {
  atS: number;
  update: string;
}

export class ReplayedBoard {
  private readonly turns: { atS: number; page: string }[] = [];
  private readonly updates = new Map<string, Update[]>();
  private board = NO_PAGES;
  private doc = new Doc();
  private page = '';
  private applied = 0;
  private drawn: Drawn = { page: '', items: [] };

  /** Take further events, which are in the order of time. */
  add(events: readonly BoardEvent[]): void {
    for (const { atS, kind, page, update } of events) {
      if (kind === 'drawn') {
        const known = this.updates.get(page);
        if (known === undefined) this.updates.set(page, [{ atS, update }]);
        else known.push({ atS, update });
        continue;
      }
      // A page that is added again under the id of a removed one is empty.
      if (kind === 'page_removed') this.updates.set(page, [...this.of(page), { atS, update: '' }]);
      this.board = applyBoard(this.board, { type: `whiteboard.${kind}`, at: 0, by: '', fields: { page } });
      this.turns.push({ atS, page: this.board.current });
    }
  }

  /** The page shown at a time. The same object as before while nothing has changed. */
  at(timeS: number): Drawn {
    const page = this.turns[countUntil(this.turns, timeS) - 1]?.page ?? '';
    const updates = this.of(page);
    const until = countUntil(updates, timeS);
    if (page !== this.page || until < this.applied) {
      this.reset();
      this.page = page;
    } else if (until === this.applied && this.drawn.page === page) {
      return this.drawn;
    }
    for (; this.applied < until; this.applied += 1) this.apply(updates[this.applied]?.update ?? '');
    const items = this.doc.getArray<unknown>('items').toArray();
    this.drawn = { page, items: items.flatMap((value) => readItem(value) ?? []) };
    return this.drawn;
  }

  private of(page: string): Update[] {
    return this.updates.get(page) ?? [];
  }

  private reset(): void {
    this.doc.destroy();
    this.doc = new Doc();
    this.applied = 0;
  }

  /** Apply an update; an empty one removes the page. */
  private apply(update: string): void {
    if (update === '') {
      this.doc.destroy();
      this.doc = new Doc();
      return;
    }
    try {
      applyUpdate(this.doc, fromBase64(update));
    } catch {
      // Somebody sent an invalid update; the others can still be shown.
    }
  }
}

/** How many of these, from the first, are not after a time. */
function countUntil(ordered: readonly { atS: number }[], timeS: number): number {
  let [low, high] = [0, ordered.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ordered[middle]?.atS ?? 0) <= timeS) low = middle + 1;
    else high = middle;
  }
  return low;
}
