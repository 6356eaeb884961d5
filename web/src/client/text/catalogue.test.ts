import { afterEach, describe, expect, it } from 'vitest';

import {
  chooseLanguage,
  directionOf,
  setLanguage,
  t,
  type Catalogue,
  type Key,
  type Plural,
} from './catalogue';
import { de as accountDe } from './account/de';
import { en as accountEn } from './account/en';
import { de } from './de';
import { en } from './en';
import { disguiseAll, pseudo } from './pseudo';
import { de as planningDe } from './planning/de';
import { en as planningEn } from './planning/en';
import { de as sessionsDe } from './sessions/de';
import { en as sessionsEn } from './sessions/en';
import { s } from './sessions/texts';

type AnyCatalogue = Readonly<Record<string, string | Plural>>;

afterEach(() => setLanguage('en'));

function placeholders(catalogue: AnyCatalogue, key: string): string[] {
  const entry = catalogue[key] ?? '';
  const texts = typeof entry === 'string' ? [entry] : Object.values<string>({ ...entry });
  return [...new Set(texts.flatMap((text) => text.match(/\{\w+\}/gu) ?? []))].sort();
}

function plain(entry: Catalogue[Key]): string {
  return typeof entry === 'string' ? entry : entry.other;
}

describe.each<[string, AnyCatalogue, AnyCatalogue]>([
  ['German', en, de],
  ['the pseudo-locale', en, pseudo],
  ['German of sessions', sessionsEn, sessionsDe],
  ['German of accounts', accountEn, accountDe],
  ['German of appointments and libraries', planningEn, planningDe],
  ['the pseudo-locale of sessions', sessionsEn, disguiseAll(sessionsEn)],
])('%s', (_, source, catalogue) => {
  it('has the texts of English with their placeholders', () => {
    expect(Object.keys(catalogue)).toEqual(expect.arrayContaining(Object.keys(source)));
    for (const key of Object.keys(source)) {
      expect(placeholders(catalogue, key), key).toEqual(placeholders(source, key));
    }
  });
  it('differs from English in every text with words', () => {
    const words = (key: string): boolean => / [a-z]{2}/u.test(JSON.stringify(source[key]));
    expect(Object.keys(source).filter((key) => catalogue[key] === source[key] && words(key))).toEqual([]);
  });
});

// The word below an icon is part of the button's name, so that speech input finds it (WCAG 2.5.3).
describe.each([
  ['English', en as Catalogue],
  ['German', de],
])('the words below icons in %s', (_, catalogue) => {
  it.each<[Key, Key[]]>([
    ['short.mic', ['control.micOn', 'control.micOff']],
    ['short.camera', ['control.cameraOn', 'control.cameraOff']],
    ['short.share', ['control.share']],
    ['short.unshare', ['control.unshare']],
    ['short.hand', ['control.raise', 'control.lower']],
  ])('%s', (short, names) => {
    const words = (key: Key): string[] => plain(catalogue[key]).toLowerCase().split(' ');
    for (const name of names) expect(words(name)).toEqual(expect.arrayContaining(words(short)));
  });
});

describe('t', () => {
  it('fills in placeholders, and leaves what looks like markup as it is', () => {
    expect(t('event.joined', { name: '<img onerror=x>{name}' })).toBe('<img onerror=x>{name} joined');
  });
  it.each([
    [1, '1 person'],
    [0, '0 people'],
    [31, '31 people'],
  ])('%d takes its plural form', (count, text) => {
    expect(t('people.count', { count })).toBe(text);
  });
  it('speaks another language once its texts are loaded', async () => {
    await setLanguage('de');
    expect(t('people.count', { count: 1 })).toBe('1 Person');
    await setLanguage('qps');
    expect(s('home.open')).toMatch(/^\[Ópéñ( ~)+\]$/);
    expect(t('control.chat')).toMatch(/^\[Chát( ~)+\]$/);
  });
});

describe('chooseLanguage', () => {
  it.each([
    [['de-AT', 'en'], 'de'],
    [['fr', 'DE'], 'de'],
    [['fr-CA'], 'en'],
    [[], 'en'],
    [['qps-rtl'], 'qps-rtl'],
    [['constructor'], 'en'],
  ] as const)('%j: %s', (wanted, expected) => {
    expect(chooseLanguage(wanted)).toBe(expected);
  });
});

it('only the mirrored pseudo-locale is written from right to left', () => {
  expect([directionOf('de'), directionOf('qps'), directionOf('qps-rtl')]).toEqual(['ltr', 'ltr', 'rtl']);
});
