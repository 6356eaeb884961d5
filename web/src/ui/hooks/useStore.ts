import { useSyncExternalStore } from 'react';

import type { Readable } from '../../client/store';

/** The current value of a store; the component renders again after each change. */
export function useStore<T>(store: Readable<T>): T {
  return useSyncExternalStore(store.subscribe, store.snapshot);
}
