/** The texts of appointments and libraries. */
import { addTexts } from '../catalogue';
import { en } from './en';

export const p = addTexts(en, {
  de: async () => (await import('./de')).de,
  qps: async () => (await import('./pseudo')).pseudo,
  'qps-rtl': async () => (await import('./pseudo')).pseudo,
});
