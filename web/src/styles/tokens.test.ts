/** The contrast figures of DESIGN.md are those of the variables, and enough. */
import { describe, expect, it } from 'vitest';

const FILES = import.meta.glob<string>(['./tokens.css', '../../DESIGN.md'], {
  query: '?raw',
  import: 'default',
  eager: true,
});
const css = FILES['./tokens.css'] ?? '';
const [day = '', night = ''] = css.split('@media (prefers-color-scheme: dark)');

type Colours = ReadonlyMap<string, string>;

function colours(text: string): [string, string][] {
  return [...text.matchAll(/--([\w-]+): (#[0-9a-f]{6});/gu)].map((match) => [match[1] ?? '', match[2] ?? '']);
}

const light: Colours = new Map(colours(day));
const dark: Colours = new Map([...light, ...colours(night)]);

/** Relative luminance (WCAG 2.2). */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(scheme: Colours, front: string, back: string): number {
  const [a, b] = [luminance(scheme.get(front) ?? ''), luminance(scheme.get(back) ?? '')];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

const ROW = /^\| `([\w-]+)` on `([\w-]+)`\s*\| ([\d.]+)\s*\| ([\d.]+)\s*\| ([\d.]+)\s*\|$/gmu;
const rows = [...(FILES['../../DESIGN.md'] ?? '').matchAll(ROW)].map((match) => match.slice(1));

describe('the table of contrasts', () => {
  it('is there', () => {
    expect(rows.length).toBeGreaterThan(10);
  });
  it.each(rows)('%s on %s', (front = '', back = '', byDay = '', byNight = '', least = '') => {
    const found = [contrast(light, front, back), contrast(dark, front, back)];
    expect(found.map((ratio) => ratio.toFixed(1))).toEqual([byDay, byNight]);
    for (const ratio of found) expect(ratio).toBeGreaterThanOrEqual(Number(least));
  });
});
