import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';

import { Caller } from '../../client/classroom/call';
import { placePath, readPlace, tokenIn, type Place } from '../../client/classroom/place';
import { sessions, type Me } from '../../client/classroom/sessions';
import { isSignedOut } from '../../client/classroom/words';
import { fetchConfig, type PageConfig } from '../../client/server/server';
import {
  recall,
  recallSessionToken,
  recallSignIn,
  remember,
  rememberSessionToken,
  rememberSignIn,
  storage,
} from '../../client/storage';
import { s } from '../../client/text/sessions/texts';
import { AccountForm } from '../../teaching/home/AccountForm';
import { CodeForm } from '../../teaching/home/CodeForm';
import { Home } from '../../teaching/home/Home';
import { SignIn } from '../../teaching/home/SignIn';
import { PageFrame } from '../../teaching/PageFrame';
import { useLanguage } from '../../ui/hooks/useLanguage';

// Home needs none of what media need.
const SessionPage = lazy(async () => ({ default: (await import('../../teaching/SessionPage')).SessionPage }));

export function App() {
  useLanguage();
  const [place, setPlace] = useState<Place>(() => readPlace(window.location.pathname));
  const { token, signIn, signOut } = useSignIn();
  const [recalled] = useState(() => recall(storage('localStorage')));
  const [dev, setDev] = useState<boolean>();
  const own = place.kind === 'session' ? recallSessionToken(storage('sessionStorage'), place.id) : '';
  const used = token !== '' ? token : own;
  const caller = useMemo(() => (used === '' ? undefined : new Caller(used)), [used]);
  const me = useMe(caller, signOut);
  useEffect(() => {
    fetchConfig()
      .then((config: PageConfig) => setDev(config.dev))
      .catch(() => setDev(false));
  }, []);
  useEffect(() => {
    document.title = place.kind === 'home' ? `${s('home.title')} · Lectern` : 'Lectern';
  }, [place]);
  const save = (name: string): void => remember(storage('localStorage'), { ...recalled, name });
  const take = (each: string, name: string): void => {
    save(name);
    signIn(each);
  };
  const enter = (code: string): void => {
    const next: Place = { kind: 'code', code: code.replaceAll(/[\s-]/gu, '').toUpperCase() };
    window.history.pushState(null, '', placePath(next));
    setPlace(next);
  };
  useEffect(() => {
    // The address is the place: going back leaves a session's door.
    const follow = (): void => window.location.reload();
    window.addEventListener('popstate', follow);
    return () => window.removeEventListener('popstate', follow);
  }, []);

  if (dev === undefined || (caller !== undefined && me === undefined)) return null;
  const out = token === '' ? undefined : signOut;
  if (place.kind !== 'home' && (caller !== undefined || place.kind === 'code')) {
    return (
      <Suspense fallback={null}>
        <SessionPage
          place={place}
          caller={caller}
          me={me}
          dev={dev}
          recalled={recalled}
          onToken={(id, each) => rememberSessionToken(storage('sessionStorage'), id, each)}
          onPreferences={(changed) => remember(storage('localStorage'), changed)}
          onSignIn={(each) => rememberSignIn(storage('sessionStorage'), each)}
          onSignOut={out}
        />
      </Suspense>
    );
  }
  return (
    <PageFrame name={me?.name} onSignOut={out}>
      {caller !== undefined && me !== undefined ? (
        <Home caller={caller} me={me} onCode={enter} onSignedOut={signOut} />
      ) : (
        <div className="home-sign">
          {dev ? <SignIn name={recalled.name} onSignIn={take} /> : <AccountForm onSignIn={take} />}
          {place.kind === 'home' && <CodeForm onCode={enter} />}
        </div>
      )}
    </PageFrame>
  );
}

/** The token of the person who is signed in in this tab; it comes by a link, or from the form. */
function useSignIn() {
  const [token, setToken] = useState(
    () => tokenIn(window.location.hash) || recallSignIn(storage('sessionStorage')),
  );
  useEffect(() => {
    rememberSignIn(storage('sessionStorage'), token);
    // People share addresses.
    if (tokenIn(window.location.hash) !== '') {
      window.history.replaceState(null, '', window.location.pathname);
    }
  }, [token]);
  const signOut = useCallback(() => setToken(''), []);
  return { token, signIn: setToken, signOut };
}

/** Who the caller is; undefined until the server has said it. */
function useMe(caller: Caller | undefined, onSignedOut: () => void): Me | undefined {
  const [me, setMe] = useState<{ caller: Caller; me: Me }>();
  useEffect(() => {
    if (caller === undefined) return undefined;
    let current = true;
    sessions
      .me(caller)
      .then((found) => {
        if (current) setMe({ caller, me: found });
      })
      .catch((error: unknown) => {
        if (current && isSignedOut(error)) onSignedOut();
      });
    return () => {
      current = false;
    };
  }, [caller, onSignedOut]);
  return me?.caller === caller ? me?.me : undefined;
}
