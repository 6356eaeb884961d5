/** The texts of the page that plays recordings. */
import { addTexts } from '../catalogue';
import { en } from './en';

export const r = addTexts(en, {
  de: async () => (await import('./de')).de,
  qps: async () => (await import('./pseudo')).pseudo,
  'qps-rtl': async () => (await import('./pseudo')).pseudo,
});

export type ReplayKey = keyof typeof en;
