import { describe, expect, it } from 'vitest';

import { Store } from './store';

describe('Store', () => {
  it('notifies its subscribers of each change until they unsubscribe', () => {
    const store = new Store({ count: 0 });
    const seen: number[] = [];
    const unsubscribe = store.subscribe(() => seen.push(store.snapshot().count));
    store.set({ count: 1 });
    store.set({ count: 2 });
    unsubscribe();
    store.set({ count: 3 });
    expect(seen).toEqual([1, 2]);
  });
  it('changes some fields and keeps the others', () => {
    const store = new Store({ name: 'Ada', count: 1 });
    const before = store.snapshot();
    store.update({ count: 2 });
    expect(store.snapshot()).toEqual({ name: 'Ada', count: 2 });
    expect(before.count).toBe(1);
  });
  it('gives the same object between two changes, and a new one after each', () => {
    const store = new Store({ count: 0 });
    const before = store.snapshot();
    expect(store.snapshot()).toBe(before);
    store.update({});
    expect(store.snapshot()).not.toBe(before);
  });
  it('lets a subscriber unsubscribe while it is being notified', () => {
    const store = new Store({ count: 0 });
    let calls = 0;
    const unsubscribe = store.subscribe(() => {
      calls += 1;
      unsubscribe();
    });
    store.subscribe(() => (calls += 10));
    store.set({ count: 1 });
    store.set({ count: 2 });
    expect(calls).toBe(21);
  });
});
