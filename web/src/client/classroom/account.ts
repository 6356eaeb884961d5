/** What people manage of their account on this server: second factor, mail, password, bans. */
import { fieldsOf, listOf, numberOf, textOf, textsOf } from '../json';
import { a } from '../text/account/texts';
import { Problem, type Caller } from './call';
import { problemWords } from './words';

/** What the server takes. */
export const SHORTEST_PASSWORD = 10;

export interface FactorState {
  enabled: boolean;
  recoveryCodesLeft: number;
}

/** A secret for an authenticator program; it counts after a code of it. */
export interface NewFactor {
  /** `otpauth://totp/...`, for a QR code. */
  uri: string;
  /** In base32, for typing. */
  secret: string;
}

export interface MailChoice {
  email: string;
  /** IANA name; empty: unknown. */
  timeZone: string;
  reminders: boolean;
  /** Whether the server sends mail at all. */
  sent: boolean;
}

export interface Ban {
  person: string;
  /** Empty if unknown. */
  name: string;
  /** Of the session in which it happened; empty if it was deleted. */
  title: string;
  /** Seconds since 1970. */
  at: number;
}

function readFactor(fields: Record<string, unknown>): FactorState {
  return {
    enabled: fields['enabled'] === true,
    recoveryCodesLeft: numberOf(fields['recovery_codes_left']) ?? 0,
  };
}

function readMail(fields: Record<string, unknown>): MailChoice {
  return {
    email: textOf(fields['email']),
    timeZone: textOf(fields['time_zone']),
    reminders: fields['reminders'] === true,
    sent: fields['sent'] === true,
  };
}

export const account = {
  async factor(caller: Caller): Promise<FactorState> {
    return readFactor(await caller.get('/me/totp'));
  },

  async enrol(caller: Caller, password: string): Promise<NewFactor> {
    const fields = await caller.put('/me/totp', { password });
    return { uri: textOf(fields['uri']), secret: textOf(fields['secret']) };
  },

  /** Require codes from now on; returns the recovery codes. */
  async confirm(caller: Caller, code: string): Promise<string[]> {
    return textsOf((await caller.post('/me/totp/confirm', { code }))['recovery_codes']);
  },

  /** Replace the recovery codes; returns the new ones. */
  async renew(caller: Caller, code: string): Promise<string[]> {
    return textsOf((await caller.post('/me/totp/recovery-codes', { code }))['recovery_codes']);
  },

  async disable(caller: Caller, code: string): Promise<void> {
    await caller.post('/me/totp/disable', { code });
  },

  async mail(caller: Caller): Promise<MailChoice> {
    return readMail(await caller.get('/me/mail'));
  },

  async setMail(
    caller: Caller,
    choice: Partial<Pick<MailChoice, 'timeZone' | 'reminders'>>,
  ): Promise<MailChoice> {
    return readMail(
      await caller.put('/me/mail', {
        ...(choice.timeZone !== undefined && { time_zone: choice.timeZone }),
        ...(choice.reminders !== undefined && { reminders: choice.reminders }),
      }),
    );
  },

  /** Change the password; all sign-ins of the account end, the caller's included. */
  async changePassword(caller: Caller, old: string, changed: string): Promise<void> {
    await caller.put('/me/password', { old, new: changed });
  },

  async bans(caller: Caller): Promise<Ban[]> {
    return listOf((await caller.get('/bans'))['data'])
      .map(fieldsOf)
      .map((each) => ({
        person: textOf(each['person']),
        name: textOf(each['name']),
        title: textOf(each['title']),
        at: numberOf(each['at']) ?? 0,
      }));
  },

  async liftBan(caller: Caller, person: string): Promise<void> {
    await caller.delete(`/bans/${encodeURIComponent(person)}`);
  },
};

/** Whether the caller signed in elsewhere and so has no account here. */
export function hasNoAccount(error: unknown): boolean {
  return error instanceof Problem && error.status === 403;
}

// These are refused with 401 like an expired sign-in, but the sign-in is still valid.
const WRONG = new Set(['wrong_credentials', 'wrong_code']);

/** Say why a call failed; undefined if the sign-in is no longer valid. */
export function accountProblem(error: unknown): string | undefined {
  if (error instanceof Problem && error.code === 'wrong_credentials') return a('account.wrongPassword');
  if (error instanceof Problem && error.status === 401 && !WRONG.has(error.code)) return undefined;
  return problemWords(error);
}

/** What is wrong with a new password that was entered twice; undefined if nothing is. */
export function passwordFault(entered: string, again: string): 'short' | 'differ' | undefined {
  // The server counts code points, not UTF-16 units.
  if (Array.from(entered).length < SHORTEST_PASSWORD) return 'short';
  return entered === again ? undefined : 'differ';
}
