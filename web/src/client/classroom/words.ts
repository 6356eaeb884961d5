/** The sentences that tell people why `/api/v1` refused a call. The server's own texts are for developers. */
import { t } from '../text/catalogue';
import { s, type SessionKey } from '../text/sessions/texts';
import { Problem } from './call';

const KEYS: Readonly<Record<string, SessionKey>> = {
  session_not_found: 'problem.noSession',
  bad_code: 'problem.noSession',
  not_invited: 'problem.notInvited',
  session_full: 'problem.full',
  session_locked: 'problem.locked',
  banned: 'problem.banned',
  wrong_phase: 'problem.over',
  too_fast: 'problem.tooFast',
  not_allowed: 'problem.notAllowed',
  too_large: 'problem.tooLarge',
  quota_exceeded: 'problem.quota',
  too_many: 'problem.tooMany',
  file_type_refused: 'problem.fileType',
  file_name_mismatch: 'problem.fileName',
  bad_pdf: 'problem.badPdf',
  pdf_encrypted: 'problem.encrypted',
  too_many_pages: 'problem.pages',
  pdf_too_costly: 'problem.costly',
  too_many_conversions: 'problem.busy',
  too_many_uploads: 'problem.busy',
  disk_full: 'problem.disk',
  recordings_off: 'problem.recordingsOff',
  room_empty: 'problem.roomEmpty',
  already_recorded: 'problem.nothing',
  weak_password: 'problem.password',
  token_not_found: 'problem.invitation',
  board_too_costly: 'problem.boardCostly',
  wrong_code: 'problem.wrongCode',
  nothing_to_change: 'problem.nothing',
  expired_token: 'sign.expired',
  bad_token: 'sign.expired',
};

type Plain = Extract<SessionKey, `problem.${string}` | 'sign.expired'>;

/** Say why a call failed. */
export function problemWords(error: unknown): string {
  if (!(error instanceof Problem)) return t('join.unreachable');
  const key = KEYS[error.code] as Exclude<Plain, 'problem.server'> | undefined;
  if (key !== undefined) return s(key);
  if (error.status === 404) return s('problem.noSession');
  return s('problem.server', { detail: error.message });
}

/** Whether the password was right and a code of the account's authenticator is needed as well. */
export function needsCode(error: unknown): boolean {
  return error instanceof Problem && error.code === 'second_factor_needed';
}

/** Whether the sign-in is no longer valid. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof Problem && error.status === 401;
}
