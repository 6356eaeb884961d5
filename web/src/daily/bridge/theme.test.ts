import { describe, expect, it } from 'vitest';

import { themeVariables } from './theme';

describe('themeVariables', () => {
  it('sets the corresponding variables', () => {
    expect(themeVariables({ colors: { accent: '#112233', mainAreaBg: '#445566' } }, false)).toEqual({
      '--accent': '#112233',
      '--ground': '#445566',
    });
  });
  it.each([
    [true, '#000000'],
    [false, '#ffffff'],
  ])('uses the colours of the browser’s colour scheme (dark: %s)', (dark, expected) => {
    const theme = {
      light: { colors: { background: '#ffffff' } },
      dark: { colors: { background: '#000000' } },
    };
    expect(themeVariables(theme, dark)).toEqual({ '--surface': expected });
  });
  it.each([
    ['nothing', undefined],
    ['text', 'dark'],
    ['a value that is no colour', { colors: { accent: 'url(https://x)' } }],
    ['an unknown name', { colors: { nose: '#112233' } }],
    ['no colours', { colors: 7 }],
  ])('ignores %s', (_, theme) => {
    expect(themeVariables(theme, false)).toEqual({});
  });
});
