import { useCallback, useEffect, useState } from 'react';

import {
  chooseToken,
  findInvitation,
  findToken,
  readClaims,
  readInvitation,
  type Claims,
} from '../../client/access/access';
import { readAddress, roomPath } from '../../client/access/address';
import { recallToken, rememberToken, storage } from '../../client/storage';

/** What admits the user, by the address of the page. */
export type Access =
  | { kind: 'none' }
  /** A token for the user in person. */
  | { kind: 'token'; token: string; claims: Claims }
  /** An invitation to a room for whoever has it. */
  | { kind: 'invitation'; invitation: string; room: string };

/**
 * The user's access, and a function that takes a pasted link or token and returns whether it is one. A token leaves the address
 * bar at once, because people share addresses; an invitation stays, because it is there to be shared.
 */
export function useAccess(): [Access, (pasted: string) => boolean] {
  const [access, setAccess] = useState(() => {
    const address = readAddress(window.location);
    return accessOf(chooseToken(address, recallToken(storage('sessionStorage'))), address.invitation);
  });
  useEffect(() => {
    rememberToken(storage('sessionStorage'), access.kind === 'token' ? access.token : '');
    if (access.kind === 'token') window.history.replaceState(null, '', roomPath(access.claims.room));
    else if (readAddress(window.location).token !== '') {
      window.history.replaceState(null, '', window.location.pathname);
    }
  }, [access]);
  useEffect(() => {
    // A new link opened in this tab may change only the fragment, after which browsers do not load the page.
    const reload = (): void => {
      const { token, invitation } = readAddress(window.location);
      if (token !== '' || invitation !== '') window.location.reload();
    };
    window.addEventListener('hashchange', reload);
    return () => window.removeEventListener('hashchange', reload);
  }, []);
  const paste = useCallback((pasted: string): boolean => {
    const found = accessOf(findToken(pasted), findInvitation(pasted));
    if (found.kind === 'none') return false;
    setAccess(found);
    return true;
  }, []);
  return [access, paste];
}

function accessOf(token: string, invitation: string): Access {
  const claims = readClaims(token);
  if (claims !== undefined) return { kind: 'token', token, claims };
  const room = readInvitation(invitation);
  return room === undefined ? { kind: 'none' } : { kind: 'invitation', invitation, room };
}
