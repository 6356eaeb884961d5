/** A value with subscribers, in the shape that React's `useSyncExternalStore` takes. */

/** The reading side: what components and the bridge get of a store that somebody else writes. */
export interface Readable<T> {
  /** Call `listener` after each change, until the returned function is called. */
  readonly subscribe: (listener: () => void) => () => void;
  /** The current value; the same object until the next change. */
  readonly snapshot: () => T;
}

export class Store<T extends object> implements Readable<T> {
  private readonly listeners = new Set<() => void>();

  constructor(private value: T) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): T => this.value;

  /** Replace the value. */
  set(value: T): void {
    this.value = value;
    for (const listener of this.listeners) listener();
  }

  /** Replace some fields. An empty change still notifies the subscribers. */
  update(change: Partial<T>): void {
    this.set({ ...this.value, ...change });
  }
}
