import { useEffect, useState } from 'react';

import { chooseToken, readClaims } from '../../client/access';
import { readAddress, roomPath } from '../../client/address';
import { recallToken, rememberToken, storage } from '../../client/storage';

/** The access token and its setter. The token leaves the address bar at once, because people share addresses. */
export function useToken(): [string, (token: string) => void] {
  const [token, setToken] = useState(() =>
    chooseToken(readAddress(window.location), recallToken(storage('sessionStorage'))),
  );
  useEffect(() => {
    rememberToken(storage('sessionStorage'), token);
    const room = readClaims(token)?.room;
    if (room !== undefined) window.history.replaceState(null, '', roomPath(room));
    else if (readAddress(window.location).token !== '') {
      window.history.replaceState(null, '', window.location.pathname);
    }
  }, [token]);
  useEffect(() => {
    // A new link opened in this tab may change only the fragment, after which browsers do not load the page.
    const reload = (): void => {
      if (readAddress(window.location).token !== '') window.location.reload();
    };
    window.addEventListener('hashchange', reload);
    return () => window.removeEventListener('hashchange', reload);
  }, []);
  return [token, setToken];
}
