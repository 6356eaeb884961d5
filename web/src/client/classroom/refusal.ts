/** What a person reads whose browser opened an address that the server refused (`signaling/http/page.py`). */
import { s, type SessionKey } from '../text/sessions/texts';

const SIGN_IN: Readonly<Record<string, Extract<SessionKey, `refusal.${string}`>>> = {
  no_role: 'refusal.noRole',
  bad_state: 'refusal.badState',
  sign_in_refused: 'refusal.signInRefused',
  bad_id_token: 'refusal.badToken',
  provider_failed: 'refusal.provider',
};

const LINKS: Readonly<Record<string, Extract<SessionKey, `refusal.${string}` | `problem.${string}`>>> = {
  bad_link: 'refusal.link',
  downloads_forbidden: 'refusal.downloads',
  still_recording: 'refusal.stillRecording',
  recording_deleted: 'refusal.deleted',
  no_file: 'refusal.deleted',
  not_found: 'refusal.deleted',
  no_such_page: 'refusal.noPage',
  no_such_path: 'refusal.noPage',
  no_credentials: 'refusal.signedOut',
  too_fast: 'problem.tooFast',
};

export interface Refusal {
  title: string;
  detail: string;
  /** Label of the link to the home page, which is the way on. */
  home: string;
}

/** Say what was refused and how to go on. */
export function refusalWords(code: string): Refusal {
  const signIn = SIGN_IN[code];
  if (signIn !== undefined) {
    return {
      title: s('refusal.signInTitle'),
      detail: s(signIn as 'refusal.noRole'),
      home: s('refusal.signIn'),
    };
  }
  const link = LINKS[code] ?? 'refusal.other';
  return { title: s('refusal.title'), detail: s(link as 'refusal.link'), home: s('door.home') };
}
