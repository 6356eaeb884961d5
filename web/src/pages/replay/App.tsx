import { useCallback, useEffect, useMemo, useState } from 'react';

import { Caller, Problem } from '../../client/classroom/call';
import { placePath, readReplay, tokenIn } from '../../client/classroom/place';
import { isSignedOut } from '../../client/classroom/words';
import { replay, type ReplayRecording, type Viewing } from '../../client/recordings/replay';
import { recall, recallSessionToken, recallSignIn, rememberSignIn, storage } from '../../client/storage';
import { dateAndTime } from '../../client/text/catalogue';
import { s } from '../../client/text/sessions/texts';
import { r, type ReplayKey } from '../../client/text/replay/texts';
import { ReplayScreen } from '../../replay/ReplayScreen';
import { AccountForm } from '../../teaching/home/entrance/AccountForm';
import { SignIn } from '../../teaching/home/entrance/SignIn';
import { PageFrame } from '../../teaching/PageFrame';
import { useSignInConfig } from '../../teaching/useSignInConfig';
import { useLanguage } from '../../ui/hooks/useLanguage';

type Plain = Extract<ReplayKey, `page.${string}`>;

interface Loaded {
  viewing: Viewing | undefined;
  recordings: readonly ReplayRecording[];
  problem: Exclude<Plain, 'page.part'> | undefined;
}

/** Load a recording, or the newest one of a session with all others of it. */
async function load(caller: Caller, subject: string): Promise<Loaded> {
  const direct = subject.startsWith('rec_');
  const recordings = direct ? [] : await replay.recordings(caller, subject);
  const chosen = direct ? subject : recordings.at(-1)?.id;
  if (chosen === undefined) return { viewing: undefined, recordings, problem: 'page.none' };
  const viewing = await replay.view(caller, chosen);
  return { viewing, recordings, problem: viewing.tracks.length === 0 ? 'page.empty' : undefined };
}

export function App() {
  useLanguage();
  const [subject] = useState(() => readReplay(window.location.pathname));
  const [token, setToken] = useState(
    () => tokenIn(window.location.hash) || recallSignIn(storage('sessionStorage')),
  );
  const used = token !== '' ? token : recallSessionToken(storage('sessionStorage'), subject);
  const { config, cookie, dropCookie } = useSignInConfig();
  const caller = useMemo(() => (used === '' && !cookie ? undefined : new Caller(used)), [used, cookie]);
  const signIn = useCallback((next: string) => {
    rememberSignIn(storage('sessionStorage'), next);
    setToken(next);
  }, []);
  const signOut = useCallback(() => {
    dropCookie();
    signIn('');
  }, [dropCookie, signIn]);
  const [expired, setExpired] = useState(false);
  const expire = useCallback(() => {
    setExpired(true);
    signOut();
  }, [signOut]);
  const { loaded, choose } = useLoaded(caller, subject, expire);
  useEffect(() => {
    document.title = `${loaded?.viewing?.title ?? r('page.title')} · Lectern`;
  }, [loaded]);
  if (caller === undefined) {
    if (config === undefined) return null;
    const name = recall(storage('localStorage')).name;
    return (
      <PageFrame name={undefined} onSignOut={undefined}>
        <div className="home-sign">
          {expired && (
            <p role="alert" className="problem" data-testid="sign-expired">
              {s('sign.expired')}
            </p>
          )}
          {config.dev ? (
            <SignIn name={name} onSignIn={signIn} />
          ) : (
            <AccountForm oidc={config.oidc} mail={config.mail} onSignIn={signIn} />
          )}
        </div>
      </PageFrame>
    );
  }
  if (loaded === undefined) return null;
  const { viewing, recordings, problem } = loaded;
  const playable = typeof MediaSource !== 'undefined';
  return (
    <PageFrame name={undefined} onSignOut={token === '' && !cookie ? undefined : signOut}>
      <div className="replay-page">
        <header className="replay-header">
          <h1>{viewing?.title ?? r('page.title')}</h1>
          {recordings.length > 1 && viewing !== undefined && (
            <select
              aria-label={r('page.choose')}
              data-testid="replay-choose"
              value={viewing.recording.id}
              onChange={(event) => choose(event.target.value)}
            >
              {recordings.map(({ id, startedAt }, index) => (
                <option key={id} value={id}>
                  {r('page.part', { number: index + 1, when: dateAndTime(startedAt) })}
                </option>
              ))}
            </select>
          )}
          <a
            className="button"
            data-testid="replay-session"
            href={placePath({ kind: 'session', id: viewing?.session ?? subject })}
          >
            {r('page.session')}
          </a>
        </header>
        {problem !== undefined || viewing === undefined || !playable ? (
          <p role="alert" className="problem" data-testid="replay-problem">
            {r(problem ?? (playable ? 'page.none' : 'page.unsupported'))}
          </p>
        ) : (
          <ReplayScreen key={viewing.recording.id} caller={caller} viewing={viewing} />
        )}
      </div>
    </PageFrame>
  );
}

function useLoaded(caller: Caller | undefined, subject: string, onSignedOut: () => void) {
  const [loaded, setLoaded] = useState<Loaded>();
  useEffect(() => {
    if (caller === undefined) return undefined;
    let current = true;
    // People share addresses.
    if (tokenIn(window.location.hash) !== '') {
      const rest = new URLSearchParams(window.location.hash.replace(/^#/u, ''));
      rest.delete('access_token');
      rememberSignIn(storage('sessionStorage'), caller.token);
      window.history.replaceState(null, '', `${window.location.pathname}#${rest.toString()}`);
    }
    load(caller, subject)
      .then((found) => {
        if (current) setLoaded(found);
      })
      .catch((error: unknown) => {
        if (!current) return;
        if (isSignedOut(error)) onSignedOut();
        else {
          const problem = error instanceof Problem ? 'page.gone' : 'page.failed';
          setLoaded({ viewing: undefined, recordings: [], problem });
        }
      });
    return () => {
      current = false;
    };
  }, [caller, subject, onSignedOut]);
  const choose = (recording: string): void => {
    if (caller === undefined) return;
    replay
      .view(caller, recording)
      .then((viewing) =>
        setLoaded((before) => ({ recordings: before?.recordings ?? [], viewing, problem: undefined })),
      )
      .catch(() =>
        setLoaded((before) => ({
          recordings: before?.recordings ?? [],
          viewing: undefined,
          problem: 'page.failed',
        })),
      );
  };
  return { loaded, choose };
}

/** Whether the server gives everybody a token; undefined until it has said so. */
