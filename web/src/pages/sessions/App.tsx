import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';

import { roomFormPath } from '../../client/access/address';
import { Caller } from '../../client/classroom/call';
import { invitationIn, placePath, readPlace, tokenIn, type Place } from '../../client/classroom/place';
import { sessions, type Me } from '../../client/classroom/sessions';
import { isSignedOut } from '../../client/classroom/words';
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
import { AccountForm } from '../../teaching/home/entrance/AccountForm';
import { CodeForm } from '../../teaching/home/entrance/CodeForm';
import { Home } from '../../teaching/home/Home';
import { InstantForm } from '../../teaching/home/entrance/InstantForm';
import { PasswordForm } from '../../teaching/home/entrance/PasswordForm';
import { SignIn } from '../../teaching/home/entrance/SignIn';
import { PageFrame } from '../../teaching/PageFrame';
import { useSignInConfig } from '../../teaching/useSignInConfig';
import { useLanguage } from '../../ui/hooks/useLanguage';

// Few people administer.
const AdminPage = lazy(async () => ({ default: (await import('../../teaching/admin/AdminPage')).AdminPage }));
// Few visits change an account.
const AccountPage = lazy(async () => ({
  default: (await import('../../teaching/home/account/AccountPage')).AccountPage,
}));
const AppointmentsPage = lazy(async () => ({
  default: (await import('../../teaching/home/appointments/AppointmentsPage')).AppointmentsPage,
}));
const LibraryPage = lazy(async () => ({
  default: (await import('../../teaching/home/library/LibraryPage')).LibraryPage,
}));
// Home needs none of what media need.
const SessionPage = lazy(async () => ({ default: (await import('../../teaching/SessionPage')).SessionPage }));

export function App() {
  useLanguage();
  const [place, setPlace] = useState<Place>(() => readPlace(window.location.pathname));
  const { token, signIn, signOut } = useSignIn();
  const [invitation] = useState(() => invitationIn(window.location.hash));
  const [recalled] = useState(() => recall(storage('localStorage')));
  const { config, cookie, dropCookie } = useSignInConfig();
  const own = place.kind === 'session' ? recallSessionToken(storage('sessionStorage'), place.id) : '';
  const used = token !== '' ? token : own;
  const caller = useMemo(() => (used === '' && !cookie ? undefined : new Caller(used)), [used, cookie]);
  const leave = useCallback(() => {
    dropCookie();
    signOut();
  }, [dropCookie, signOut]);
  const [expired, setExpired] = useState(false);
  const expire = useCallback(() => {
    setExpired(true);
    leave();
  }, [leave]);
  const me = useMe(caller, expire);
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

  if (config === undefined || (caller !== undefined && me === undefined)) return null;
  const out = token === '' && !cookie ? undefined : leave;
  if (place.kind === 'password') {
    return (
      <PageFrame name={undefined} onSignOut={undefined}>
        <div className="home-sign">
          <PasswordForm
            token={invitation}
            onSignIn={(each, name) => {
              window.history.replaceState(null, '', placePath({ kind: 'home' }));
              setPlace({ kind: 'home' });
              take(each, name);
            }}
          />
        </div>
      </PageFrame>
    );
  }
  if (
    (place.kind === 'session' || place.kind === 'code') &&
    (caller !== undefined || place.kind === 'code')
  ) {
    return (
      <Suspense fallback={null}>
        <SessionPage
          place={place}
          caller={caller}
          me={me}
          dev={config.dev}
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
    <PageFrame name={me?.name} onSignOut={out} administers={me?.role === 'admin'}>
      {caller !== undefined && me?.role === 'admin' && place.kind === 'admin' ? (
        <Suspense fallback={null}>
          <AdminPage caller={caller} />
        </Suspense>
      ) : caller !== undefined && me !== undefined && place.kind === 'account' ? (
        <Suspense fallback={null}>
          <AccountPage caller={caller} me={me} onSignedOut={leave} />
        </Suspense>
      ) : caller !== undefined && me !== undefined && place.kind === 'appointments' ? (
        <Suspense fallback={null}>
          <AppointmentsPage caller={caller} me={me} onSignedOut={leave} />
        </Suspense>
      ) : caller !== undefined && me !== undefined && place.kind === 'library' && teaches(me) ? (
        <Suspense fallback={null}>
          <LibraryPage caller={caller} onSignedOut={leave} />
        </Suspense>
      ) : caller !== undefined && me !== undefined ? (
        <Home caller={caller} me={me} instant={config.dev} onCode={enter} onSignedOut={leave} />
      ) : (
        <div className="home-sign">
          {expired && (
            <p role="alert" className="problem" data-testid="sign-expired">
              {s('sign.expired')}
            </p>
          )}
          {config.dev ? (
            <SignIn name={recalled.name} onSignIn={take} />
          ) : (
            <AccountForm oidc={config.oidc} mail={config.mail} onSignIn={take} />
          )}
          {place.kind === 'home' && (
            <div className="home-side">
              <CodeForm onCode={enter} />
              {config.dev ? (
                <InstantForm />
              ) : (
                <a href={roomFormPath()} data-testid="room-form">
                  {s('home.roomLink')}
                </a>
              )}
            </div>
          )}
        </div>
      )}
    </PageFrame>
  );
}

const teaches = (me: Me): boolean => me.role === 'tutor' || me.role === 'admin';

/** The token of the person who is signed in in this tab; it comes by a link, or from the form. */
function useSignIn() {
  const [token, setToken] = useState(
    () => tokenIn(window.location.hash) || recallSignIn(storage('sessionStorage')),
  );
  useEffect(() => {
    rememberSignIn(storage('sessionStorage'), token);
    // People share addresses.
    if (tokenIn(window.location.hash) !== '' || invitationIn(window.location.hash) !== '') {
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
