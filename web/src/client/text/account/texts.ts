/** The texts of the page on which people manage their account. */
import { addTexts } from '../catalogue';
import { en } from './en';

export const a = addTexts(en, {
  de: async () => (await import('./de')).de,
  qps: async () => (await import('./pseudo')).pseudo,
  'qps-rtl': async () => (await import('./pseudo')).pseudo,
});
