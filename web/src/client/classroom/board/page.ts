/** A page of the whiteboard as a Yjs document: changes of others are merged into it, changes of this person are sent. */
import { applyUpdate, Doc, Map as YMap, mergeUpdates, UndoManager } from 'yjs';

import { listOf, textOf } from '../../json';
import { UnreachableError } from '../../server/server';
import { Store, type Readable } from '../../store';
import type { SessionEvent } from '../live/event';
import type { FollowedSession } from '../live/session';
import { pathOf } from '../sessions';
import { fromBase64, toBase64 } from './base64';
import { MOST_IMAGES, readItem, touches, type Item, type Point } from './items';

export interface Drawing {
  items: readonly Item[];
  canUndo: boolean;
  canRedo: boolean;
  loaded: boolean;
  /** Changes of this person are not stored yet. */
  unsaved: boolean;
}

export type BoardSession = Pick<FollowedSession, 'id' | 'caller' | 'command' | 'onEvent' | 'onReplaced'>;

// Half of the server's limit (`limits.BOARD_UPDATE_SIZE`): merging may add a little.
const UPDATE_BYTES = 32 * 1024;
const RETRY_MS = 2000;
const LOCAL = 'local';

export class BoardPage {
  private readonly doc = new Doc();
  private readonly array = this.doc.getArray<unknown>('items');
  // Only `begin` ends a step, so that a stroke of several items is one step.
  private readonly history = new UndoManager(this.array, {
    trackedOrigins: new Set([LOCAL]),
    captureTimeout: Number.MAX_SAFE_INTEGER,
  });
  private readonly store = new Store<Drawing>({
    items: [],
    canUndo: false,
    canRedo: false,
    loaded: false,
    unsaved: false,
  });
  readonly state: Readable<Drawing> = this.store;
  // Items by the values in the Yjs array (of images, by their points), so that they stay the same objects.
  private readonly known = new WeakMap<object, Item>();
  private readonly pending: Uint8Array[] = [];
  private sending = false;
  private closed = false;
  private readonly ends: (() => void)[];

  /** `onRefused` receives the reason when the server refuses changes; the page then has to be opened again. */
  constructor(
    private readonly session: BoardSession,
    readonly id: string,
    private readonly onRefused: (error: unknown) => void,
  ) {
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === LOCAL || origin === this.history) this.send(update);
      this.show();
    });
    this.ends = [
      session.onEvent((event) => this.hear(event)),
      // Changes made meanwhile are in no event.
      session.onReplaced(() => void this.load()),
    ];
  }

  /** Load the content of the page; retries until it succeeds. */
  async load(): Promise<void> {
    if (!this.isOpen()) return;
    try {
      const page = await this.session.caller.get(`${pathOf(this.session.id)}/whiteboards/${this.id}`);
      if (!this.isOpen()) return;
      this.doc.transact(() => {
        for (const update of listOf(page['updates'])) this.merge(textOf(update));
      }, 'load');
      this.store.update({ loaded: true });
    } catch {
      if (this.isOpen()) setTimeout(() => void this.load(), RETRY_MS);
    }
  }

  close(): void {
    this.closed = true;
    for (const end of this.ends) end();
    this.history.destroy();
    this.doc.destroy();
  }

  /** Begin a new step for `undo`. */
  begin(): void {
    this.history.stopCapturing();
  }

  add(item: Item): void {
    // A field without content would be sent with each stroke.
    const { text, ...rest } = item;
    this.doc.transact(() => this.array.push([text === '' ? rest : item]), LOCAL);
  }

  /** Put an image onto the page; returns its id. */
  addImage(file: string, points: readonly number[]): string {
    const id = crypto.randomUUID();
    const image = new YMap<unknown>(Object.entries({ kind: 'image', id, file, points: [...points] }));
    this.doc.transact(() => this.array.push([image]), LOCAL);
    return id;
  }

  /** Move or resize an image. If several people do, the last change counts. */
  placeImage(id: string, points: readonly number[]): void {
    const image = this.array.get(this.indexOf(id));
    // A map keeps the place in the order of items, and everybody ends with the same points.
    if (image instanceof YMap) this.doc.transact(() => image.set('points', [...points]), LOCAL);
  }

  removeImage(id: string): void {
    const index = this.indexOf(id);
    if (index >= 0) this.doc.transact(() => this.array.delete(index), LOCAL);
  }

  /** Remove the items that an eraser touches. */
  erase(at: Point, radius: number): void {
    this.doc.transact(() => {
      const values = this.array.toArray();
      for (let index = values.length - 1; index >= 0; index -= 1) {
        const item = this.itemOf(values[index]);
        if (item !== undefined && touches(item, at, radius)) this.array.delete(index);
      }
    }, LOCAL);
  }

  clear(): void {
    this.begin();
    this.doc.transact(() => this.array.delete(0, this.array.length), LOCAL);
    this.begin();
  }

  undo(): void {
    this.history.undo();
    this.show();
  }

  redo(): void {
    this.history.redo();
    this.show();
  }

  private indexOf(image: string): number {
    return this.array.toArray().findIndex((value) => this.itemOf(value)?.image?.id === image);
  }

  // A method, because the value changes during awaits.
  private isOpen(): boolean {
    return !this.closed;
  }

  private hear({ type, fields }: SessionEvent): void {
    if (type === 'whiteboard.drawn' && fields['page'] === this.id) this.merge(textOf(fields['update']));
  }

  /** Merge an update from others; this person's own updates come back and change nothing. */
  private merge(update: string): void {
    try {
      applyUpdate(this.doc, fromBase64(update), 'remote');
    } catch {
      // An invalid update from another person must not prevent the merge of others.
    }
  }

  private show(): void {
    if (!this.isOpen()) return;
    let images = 0;
    const items = this.array.toArray().flatMap((value) => this.itemOf(value) ?? []);
    this.store.update({
      items: items.filter(({ kind }) => kind !== 'image' || (images += 1) <= MOST_IMAGES),
      canUndo: this.history.canUndo(),
      canRedo: this.history.canRedo(),
    });
  }

  private itemOf(value: unknown): Item | undefined {
    const map = value instanceof YMap ? (value as YMap<unknown>) : undefined;
    const key = map === undefined ? value : map.get('points');
    if (typeof key !== 'object' || key === null) return undefined;
    const item = this.known.get(key) ?? readItem(map === undefined ? value : map.toJSON());
    if (item !== undefined) this.known.set(key, item);
    return item;
  }

  private send(update: Uint8Array): void {
    this.pending.push(update);
    this.store.update({ unsaved: true });
    if (!this.sending) void this.flush();
  }

  /** Send changes, one request at a time; changes made meanwhile are in the next one. */
  private async flush(): Promise<void> {
    this.sending = true;
    while (this.pending.length > 0 && this.isOpen()) {
      const count = countBelow(this.pending, UPDATE_BYTES);
      const update = toBase64(mergeUpdates(this.pending.slice(0, count)));
      try {
        await this.session.command(`/whiteboards/${this.id}/draw`, { update });
        this.pending.splice(0, count);
      } catch (error) {
        if (!(error instanceof UnreachableError)) {
          this.onRefused(error);
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    this.sending = false;
    if (this.isOpen()) this.store.update({ unsaved: this.pending.length > 0 });
  }
}

/** How many updates, counted from the first, have at most `limit` bytes together; at least one. */
function countBelow(updates: readonly Uint8Array[], limit: number): number {
  let size = 0;
  const index = updates.findIndex(({ length }) => (size += length) > limit);
  return Math.max(index < 0 ? updates.length : index, 1);
}
