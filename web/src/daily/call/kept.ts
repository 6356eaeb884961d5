/** The meeting token of this tab, so that a reload does not lose the meeting although the address has none. */

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const KEY = 'lectern.meeting-token.';

/** The token kept for a room; empty when there is none, or where the browser keeps nothing. */
export function keptToken(store: Store | undefined, room: string): string {
  try {
    return store?.getItem(KEY + room) ?? '';
  } catch {
    return '';
  }
}

/** Keep a room's token for this tab; an empty one forgets it. */
export function keepToken(store: Store | undefined, room: string, token: string): void {
  try {
    if (token === '') store?.removeItem(KEY + room);
    else store?.setItem(KEY + room, token);
  } catch {
    // A full or forbidden storage costs a reload, not the meeting.
  }
}
