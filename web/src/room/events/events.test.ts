import { describe, expect, it } from 'vitest';

import { moveWords, type Move } from './gather';
import { shownMs, Toasts } from './toasts';

const joined = (name: string): Move => ({ kind: 'joined', identity: name.toLowerCase(), name });
const left = (name: string): Move => ({ kind: 'left', identity: name.toLowerCase(), name });

describe('moveWords', () => {
  it.each<[string, Move[], string[]]>([
    ['nothing', [], []],
    ['two who join', [joined('Ada'), joined('Ben')], ['Ada joined', 'Ben joined']],
    ['a class', [joined('Ada'), joined('Ben'), joined('Cleo')], ['3 people joined']],
    ['one comes, one goes', [joined('Ada'), left('Ben')], ['Ada joined', 'Ben left']],
    ['a reload', [left('Ada'), joined('Ada')], []],
    ['a name that looks like markup', [joined('<img onerror=alert(1)>')], ['<img onerror=alert(1)> joined']],
  ])('%s', (_, moves, words) => {
    expect(moveWords(moves)).toEqual(words);
  });
});

describe('Toasts', () => {
  it('keep the latest four, until they are dismissed', () => {
    const toasts = new Toasts();
    for (const text of ['1', '2', '3', '4', '5']) toasts.say(text);
    expect(toasts.state.snapshot().items.map(({ text }) => text)).toEqual(['2', '3', '4', '5']);
    toasts.dismiss(toasts.state.snapshot().items[0]?.id ?? 0);
    expect(toasts.state.snapshot().items.map(({ text }) => text)).toEqual(['3', '4', '5']);
  });
  it.each([
    ['short', false, 4000],
    ['short', true, 8000],
    ['x'.repeat(150), false, 20_000],
  ])('%s (important: %j) stays for %d ms', (text, important, ms) => {
    expect(shownMs({ text, important })).toBe(ms);
  });
});
