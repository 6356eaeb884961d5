/** Applies the embedding page's colours and CSS. The policy forbids style elements, but allows constructed sheets. */
import { themeVariables } from './theme';

const sheet = new CSSStyleSheet();

/** Apply the colours of a theme. */
export function applyTheme(theme: unknown): void {
  const dark = window.matchMedia('(prefers-color-scheme: dark)').matches;
  for (const [name, value] of Object.entries(themeVariables(theme, dark))) {
    document.documentElement.style.setProperty(name, value);
  }
}

/** Apply CSS rules in place of the previous ones. */
export function applyCss(text: string | undefined): void {
  if (text === undefined) return;
  sheet.replaceSync(text);
  if (!document.adoptedStyleSheets.includes(sheet)) document.adoptedStyleSheets.push(sheet);
}

export function applyClass(name: string | undefined): void {
  if (name !== undefined) document.body.classList.add(...name.split(/\s+/u).filter((each) => each !== ''));
}
