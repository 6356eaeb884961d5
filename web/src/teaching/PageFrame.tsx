import '../styles/lobby.css';
import '../styles/home.css';

import type { ReactNode } from 'react';

import { placePath } from '../client/classroom/place';
import { a } from '../client/text/account/texts';
import { named, s } from '../client/text/sessions/texts';
import { Button } from '../ui/controls/Button';
import { LanguageSelect } from '../ui/controls/LanguageSelect';
import { Logo } from '../ui/surfaces/Logo';

interface PageFrameProps {
  /** Name of the person who is signed in. */
  name: string | undefined;
  onSignOut: (() => void) | undefined;
  /** The person may administer the school. */
  administers?: boolean;
  children: ReactNode;
}

/** The frame of all pages around a session's room: logo, language, the signed-in person. */
export function PageFrame({ name, onSignOut, administers = false, children }: PageFrameProps) {
  return (
    <main className="lobby page-frame">
      <header className="lobby-header no-print">
        <a className="plain-link" href={placePath({ kind: 'home' })}>
          <Logo />
        </a>
        <div className="page-tools">
          {administers && (
            <a href={placePath({ kind: 'admin' })} data-testid="admin-link">
              {s('admin.title')}
            </a>
          )}
          <LanguageSelect />
          {name !== undefined && (
            <a
              className="page-name"
              href={placePath({ kind: 'account' })}
              aria-label={named(a('account.title'), name)}
              data-testid="account-link"
            >
              {name}
            </a>
          )}
          {onSignOut !== undefined && (
            <Button look="quiet" testId="sign-out" onPress={onSignOut}>
              {s('sign.out')}
            </Button>
          )}
        </div>
      </header>
      {children}
    </main>
  );
}
