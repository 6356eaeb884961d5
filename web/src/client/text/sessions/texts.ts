/** The texts of teaching sessions, which are no part of the first load of a lesson's lobby. */
import { addTexts } from '../catalogue';
import { en } from './en';

export const s = addTexts(en, {
  de: async () => (await import('./de')).de,
  qps: async () => (await import('./pseudo')).pseudo,
  'qps-rtl': async () => (await import('./pseudo')).pseudo,
});

export type SessionKey = keyof typeof en;

/** The whole name of one of several equal buttons, such as “Let in: Sam”: it begins with the words on the button. */
export function named(action: string, name: string): string {
  return s('action.named', { action, name });
}
