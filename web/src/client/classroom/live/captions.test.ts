import { describe, expect, it } from 'vitest';

import { applyCaption, NO_CAPTIONS, SHOWN_MS, withoutOld, type CaptionState } from './captions';

const said = (line: string, text: string, tail = '', final = false) => ({
  type: 'captions',
  person: 'ada',
  line,
  text,
  tail,
  final,
});

const shown = (state: CaptionState): string[] => state.lines.map(({ text, tail }) => `${text}|${tail}`);

describe('captions', () => {
  it('replaces a line while it grows, and adds the next one after it', () => {
    let state = applyCaption(NO_CAPTIONS, said('T-1', 'We', 'ad'), 0);
    state = applyCaption(state, said('T-1', 'We add', 'fractions'), 100);
    expect(shown(state)).toEqual(['We add|fractions']);
    state = applyCaption(state, said('T-2', 'Why?', '', true), 200);
    expect(shown(state)).toEqual(['We add|fractions', 'Why?|']);
    expect(state.lines[0]).toMatchObject({ person: 'ada', final: false, at: 100 });
  });
  it('removes a line of words that were not said', () => {
    const state = applyCaption(NO_CAPTIONS, said('T-1', '', 'hm'), 0);
    expect(shown(applyCaption(state, said('T-1', '', '', true), 100))).toEqual([]);
  });
  it('shows the newest lines only', () => {
    let state = NO_CAPTIONS;
    for (let i = 0; i < 5; i++) state = applyCaption(state, said(`T-${i}`, `line ${i}`), i);
    expect(shown(state)).toEqual(['line 2|', 'line 3|', 'line 4|']);
  });
  it('removes a line some time after its last change', () => {
    let state = applyCaption(NO_CAPTIONS, said('T-1', 'old'), 0);
    state = applyCaption(state, said('T-2', 'new'), 3000);
    expect(withoutOld(state, SHOWN_MS - 1)).toBe(state);
    expect(shown(withoutOld(state, SHOWN_MS))).toEqual(['new|']);
  });
  it('says when speech is left out, and ignores what it cannot read', () => {
    const state = applyCaption(NO_CAPTIONS, { type: 'captions', behind: true }, 0);
    expect(state.behind).toBe(true);
    expect(applyCaption(state, { type: 'captions', behind: false }, 0).behind).toBe(false);
    for (const message of [{}, said('', 'x'), said('T-1', ''), { line: 3, text: [] }])
      expect(applyCaption(state, message, 0)).toBe(state);
  });
});
