import { useCallback, useEffect, useState } from 'react';

import { Caller } from '../client/classroom/call';
import { sessions } from '../client/classroom/sessions';
import { fetchConfig, type PageConfig } from '../client/server/server';

/**
 * How people sign in at this server, once it has answered, and whether this browser already has the cookie of a
 * sign-in at a provider, which calls without a token carry.
 */
export function useSignInConfig() {
  const [config, setConfig] = useState<Pick<PageConfig, 'dev' | 'oidc' | 'mail'>>();
  const [cookie, setCookie] = useState(false);
  useEffect(() => {
    const start = async (): Promise<void> => {
      const found = await fetchConfig();
      const hasCookie = found.oidc && (await isSignedIn());
      setCookie(hasCookie);
      setConfig(found);
    };
    start().catch(() => setConfig({ dev: false, oidc: false, mail: false }));
  }, []);
  const dropCookie = useCallback(() => {
    if (cookie) void sessions.signOut(new Caller('')).catch(() => undefined);
    setCookie(false);
  }, [cookie]);
  return { config, cookie, dropCookie };
}

async function isSignedIn(): Promise<boolean> {
  try {
    await sessions.me(new Caller(''));
    return true;
  } catch {
    return false;
  }
}
