/** Looks up the page's texts in the current language. Texts are data: no component contains a sentence. */
import { Store, type Readable } from '../store';
import { en } from './en';

/** A text that depends on a number: one form for each category of `Intl.PluralRules` that the language uses. */
export interface Plural {
  one?: string;
  few?: string;
  many?: string;
  other: string;
}

export type Key = keyof typeof en;
export type Catalogue = Readonly<Record<Key, string | Plural>>;

type Placeholders<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholders<Rest> : never;
type TextOf<K extends Key> = (typeof en)[K] extends { other: infer S } ? S : (typeof en)[K];
type Values<K extends Key> = Readonly<Record<Placeholders<TextOf<K>>, string | number>>;
type Arguments<K extends Key> = [Placeholders<TextOf<K>>] extends [never] ? [] : [values: Values<K>];

/** The texts of one language outside the first load, by the keys of their English source. */
export type Texts<S> = Readonly<Record<keyof S, string | Plural>>;
type SourceText<S, K extends keyof S> = S[K] extends { other: infer T } ? T : S[K];
type SourceArguments<S, K extends keyof S> = [Placeholders<SourceText<S, K>>] extends [never]
  ? []
  : [values: Readonly<Record<Placeholders<SourceText<S, K>>, string | number>>];
/** Looks up a text of such a catalogue; `t` does it for the texts of every page. */
export type Translate<S> = <K extends keyof S & string>(key: K, ...values: SourceArguments<S, K>) => string;

/** The keys of texts without placeholders. */
export type PlainKey = { [K in Key]: Arguments<K> extends [] ? K : never }[Key];

export type Language = 'en' | 'de' | 'qps' | 'qps-rtl';

/** The languages that people can choose, by their own names. The pseudo-locales are for tests only. */
export const LANGUAGES: Readonly<Partial<Record<Language, string>>> = { en: 'English', de: 'Deutsch' };

interface Current {
  language: Language;
  catalogue: Catalogue;
}

const LOADERS: Readonly<Record<Language, () => Promise<Catalogue>>> = {
  en: () => Promise.resolve(en),
  de: async () => (await import('./de')).de,
  qps: async () => (await import('./pseudo')).pseudo,
  'qps-rtl': async () => (await import('./pseudo')).pseudo,
};

const current = new Store<Current>({ language: 'en', catalogue: en });

/** The current language; components that show texts render again when it changes. */
export const language: Readable<Current> = current;

/** The text of a key in the current language, with its placeholders filled in. */
export function t<K extends Key>(key: K, ...[values]: Arguments<K>): string {
  const { catalogue, language: tag } = current.snapshot();
  return format(catalogue[key], values ?? {}, tag);
}

const further: ((tag: Language) => Promise<void>)[] = [];

/** Add texts that not every page needs; call it before the first `setLanguage` of the page that needs them. */
export function addTexts<S extends Texts<S>>(
  source: S,
  load: Readonly<Record<Exclude<Language, 'en'>, () => Promise<Texts<S>>>>,
): Translate<S> {
  let texts: Texts<S> = source;
  further.push(async (tag) => {
    texts = tag === 'en' ? source : await load[tag]();
  });
  return (key, ...[values]) => format(texts[key], values ?? {}, current.snapshot().language);
}

/** Load a language's texts and switch to it. */
export async function setLanguage(tag: Language): Promise<void> {
  const [catalogue] = await Promise.all([LOADERS[tag](), ...further.map((load) => load(tag))]);
  current.set({ language: tag, catalogue });
}

/** The best language for a list of BCP 47 tags, such as `navigator.languages`; English where none fits. */
export function chooseLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const lower = tag.toLowerCase();
    const exact = Object.keys(LOADERS).find((each) => each === lower);
    const found = exact ?? Object.keys(LANGUAGES).find((each) => each === lower.split('-')[0]);
    if (found !== undefined) return found as Language;
  }
  return 'en';
}

/** The writing direction of a language, as the `dir` attribute has it. */
export function directionOf(tag: Language): 'ltr' | 'rtl' {
  return tag === 'qps-rtl' ? 'rtl' : 'ltr';
}

/** The tag for `lang` attributes and for `Intl`, which do not know the pseudo-locales. */
export function intlTag(tag: Language): string {
  return tag.startsWith('qps') ? 'en' : tag;
}

/** The current language as `Intl` knows it. */
export function intlLanguage(): string {
  return intlTag(current.snapshot().language);
}

/** A time of day in the current language, such as 14:05; in the browser's time zone unless one is given. */
export function timeOfDay(atMs: number, timeZone?: string): string {
  const shape = { hour: '2-digit', minute: '2-digit' } as const;
  return new Date(atMs).toLocaleTimeString(
    intlLanguage(),
    timeZone === undefined ? shape : { ...shape, timeZone },
  );
}

/** A date such as `2026-11-30` in the current language, in the given form. */
export function dateWords(day: string, form: Intl.DateTimeFormatOptions): string {
  return new Date(`${day}T00:00Z`).toLocaleDateString(intlLanguage(), { ...form, timeZone: 'UTC' });
}

/** A date and time of day in the current language, such as Fri 28 Nov, 14:05. `atS`: seconds since 1970. */
export function dateAndTime(atS: number): string {
  return new Date(atS * 1000).toLocaleString(intlTag(current.snapshot().language), {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
}

/** A number of bytes in the current language, such as 1.4 MB. */
export function bytes(count: number): string {
  const [value, unit] = count < 1_000_000 ? [count / 1000, 'kilobyte'] : [count / 1_000_000, 'megabyte'];
  return new Intl.NumberFormat(intlTag(current.snapshot().language), {
    style: 'unit',
    unit,
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value);
}

function format(
  entry: string | Plural,
  values: Readonly<Record<string, string | number>>,
  tag: Language,
): string {
  let text: string;
  if (typeof entry === 'string') text = entry;
  else {
    const category = new Intl.PluralRules(intlTag(tag)).select(Number(values['count'] ?? 0));
    text = (category in entry ? entry[category as keyof Plural] : undefined) ?? entry.other;
  }
  return text.replaceAll(/\{(\w+)\}/gu, (whole, name: string) => String(values[name] ?? whole));
}
