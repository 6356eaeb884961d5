/** Colours and style of the embedding page. The policy allows no style elements; sheets made by script it allows. */
import { themeVariables } from './theme';

const sheet = new CSSStyleSheet();

/** Show a theme's colours. */
export function applyTheme(theme: unknown): void {
  const dark = window.matchMedia('(prefers-color-scheme: dark)').matches;
  for (const [name, value] of Object.entries(themeVariables(theme, dark))) {
    document.documentElement.style.setProperty(name, value);
  }
}

/** Add rules; later ones replace earlier ones. */
export function applyCss(text: string | undefined): void {
  if (text === undefined) return;
  sheet.replaceSync(text);
  if (!document.adoptedStyleSheets.includes(sheet)) document.adoptedStyleSheets.push(sheet);
}

export function applyClass(name: string | undefined): void {
  if (name !== undefined) document.body.classList.add(...name.split(/\s+/u).filter((each) => each !== ''));
}
