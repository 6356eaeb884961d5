/**
 * A pseudo-locale made from English: accented, a third longer and in brackets. What appears on the page without brackets
 * is not in the catalogues, and what is cut off has too little room for German or Finnish.
 */
import type { Catalogue, Plural, Texts } from './catalogue';
import { en } from './en';

const PLAIN = 'aeiouyAEIOUYcn';
const ACCENTS = 'áéíóúýÁÉÍÓÚÝçñ';

function accent(part: string): string {
  const index = PLAIN.indexOf(part);
  return index < 0 ? part : ACCENTS.charAt(index);
}

/** The pseudo-locale's form of a text; placeholders stay as they are. */
export function disguise(text: string): string {
  const accented = text.replaceAll(/\{\w+\}|./gsu, accent);
  return `[${accented}${' ~'.repeat(Math.ceil(text.length / 6))}]`;
}

function disguiseEntry(entry: string | Plural): string | Plural {
  if (typeof entry === 'string') return disguise(entry);
  const forms = Object.entries<string>({ ...entry }).map(([form, text]) => [form, disguise(text)]);
  return { other: '', ...(Object.fromEntries(forms) as Partial<Plural>) };
}

/** The pseudo-locale's form of a catalogue. */
export function disguiseAll<S extends Texts<S>>(source: S): Texts<S> {
  const entries = Object.entries<string | Plural>(source).map(([key, entry]) => [key, disguiseEntry(entry)]);
  return Object.fromEntries(entries) as Texts<S>;
}

export const pseudo: Catalogue = disguiseAll(en);
