/** Translates the colours of an application's theme into the page's CSS variables. */
import { isFields, type Fields } from '../../client/json';

// Daily's names of colours, and the corresponding variables of `base.css`.
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  accent: ['--accent'],
  accentText: ['--accent-text'],
  background: ['--surface'],
  backgroundAccent: ['--button'],
  baseText: ['--text'],
  border: ['--line'],
  mainAreaBg: ['--ground'],
  mainAreaBgAccent: ['--tile'],
  mainAreaText: ['--tile-text'],
  supportiveText: ['--text-soft'],
};

const COLOUR = /^#[0-9a-f]{6}$/i;

/** The CSS variables of a theme, which is `{colors}`, or `{light: {colors}, dark: {colors}}` by colour scheme. */
export function themeVariables(theme: unknown, dark: boolean): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(colours(theme, dark))) {
    if (typeof value !== 'string' || !COLOUR.test(value)) continue;
    for (const variable of VARIABLES[name] ?? []) found[variable] = value;
  }
  return found;
}

function colours(theme: unknown, dark: boolean): Fields {
  if (!isFields(theme)) return {};
  const half = theme[dark ? 'dark' : 'light'] ?? theme[dark ? 'light' : 'dark'];
  const colors = isFields(half) ? half['colors'] : theme['colors'];
  return isFields(colors) ? colors : {};
}
