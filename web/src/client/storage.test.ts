import { beforeEach, describe, expect, it } from 'vitest';

import {
  recall,
  recallConsent,
  recallLanguage,
  recallLetters,
  recallMeetingToken,
  recallToken,
  remember,
  rememberConsent,
  rememberLanguage,
  rememberLetters,
  rememberMeetingToken,
  rememberToken,
} from './storage';

class FakeStore {
  readonly entries = new Map<string, string>();
  getItem(key: string): string | null {
    return this.entries.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.entries.set(key, value);
  }
  removeItem(key: string): void {
    this.entries.delete(key);
  }
}

/** A storage that throws at each access, as with blocked site data or a full disk. */
const REFUSING = {
  getItem: () => {
    throw new DOMException('no', 'SecurityError');
  },
  setItem: () => {
    throw new DOMException('full', 'QuotaExceededError');
  },
  removeItem: () => {
    throw new DOMException('no', 'SecurityError');
  },
};

const ON = { camera: true, microphone: true };
const NOTHING = { name: '', ids: { camera: '', microphone: '' }, speaker: '', on: ON };

describe('preferences', () => {
  let store: FakeStore;
  beforeEach(() => {
    store = new FakeStore();
  });

  it('are read as they were stored', () => {
    const preferences = {
      name: 'Ada',
      ids: { camera: 'c1', microphone: 'm1' },
      speaker: 's1',
      on: { camera: false, microphone: true },
    };
    remember(store, preferences);
    expect(recall(store)).toEqual(preferences);
  });
  it('are removed when they are empty', () => {
    remember(store, {
      name: 'Ada',
      ids: { camera: 'c1', microphone: 'm1' },
      speaker: 's1',
      on: { ...ON, camera: false },
    });
    remember(store, NOTHING);
    expect(store.entries.size).toBe(0);
  });
  it.each([
    ['no storage', undefined],
    ['a storage that refuses', REFUSING],
  ])('are empty with %s', (_, given) => {
    remember(given, { ...NOTHING, name: 'Ada' });
    expect(recall(given)).toEqual(NOTHING);
  });
});

describe('language and shortcuts', () => {
  it('are read as they were stored', () => {
    const store = new FakeStore();
    expect([recallLanguage(store), recallLetters(store)]).toEqual(['', true]);
    rememberLanguage(store, 'de');
    rememberLetters(store, false);
    expect([recallLanguage(store), recallLetters(store)]).toEqual(['de', false]);
    rememberLetters(store, true);
    expect(recallLetters(store)).toBe(true);
  });
});

describe('the token of a tab', () => {
  it('is read as it was stored, until it is removed', () => {
    const store = new FakeStore();
    rememberToken(store, 'a.b.c');
    expect(recallToken(store)).toBe('a.b.c');
    rememberToken(store, '');
    expect(recallToken(store)).toBe('');
  });
});

describe('the meeting token of a tab', () => {
  it('belongs to its room, until it is removed', () => {
    const store = new FakeStore();
    rememberMeetingToken(store, 'maths', 'a.b.c');
    expect([recallMeetingToken(store, 'maths'), recallMeetingToken(store, 'physics')]).toEqual(['a.b.c', '']);
    rememberMeetingToken(store, 'maths', '');
    expect(recallMeetingToken(store, 'maths')).toBe('');
  });
  it.each([
    ['no storage', undefined],
    ['a storage that refuses', REFUSING],
  ])('is empty with %s', (_, given) => {
    rememberMeetingToken(given, 'maths', 'a.b.c');
    expect(recallMeetingToken(given, 'maths')).toBe('');
  });
});

describe('the answer about a recording', () => {
  it('belongs to its session, and is one of two words', () => {
    const store = new FakeStore();
    rememberConsent(store, 'ses_1', 'declined');
    expect([recallConsent(store, 'ses_1'), recallConsent(store, 'ses_2')]).toEqual(['declined', '']);
    store.setItem('lectern.consent.ses_1', 'perhaps');
    expect(recallConsent(store, 'ses_1')).toBe('');
  });
});
