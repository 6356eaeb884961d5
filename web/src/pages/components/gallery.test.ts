/** Every component of `ui/` is on the page of all components, so that axe and the pictures see it. */
import { expect, it } from 'vitest';

const SOURCES = import.meta.glob<string>(
  ['../../ui/*/*.tsx', './*.tsx', '../../room/panels/PeoplePanel.tsx'],
  {
    query: '?raw',
    import: 'default',
    eager: true,
  },
);
const ELSEWHERE: Readonly<Record<string, string>> = {
  CameraPicture: 'needs a camera: the lobby',
  DevicePreview: 'needs devices: the lobby',
  Dialog: 'in Confirm',
  Message: 'a page of its own: the end of a lesson, refused links',
  Panel: 'beside the tiles: `?people=4&panel=chat`',
  TooltipProvider: 'around the whole page',
  Tooltipped: 'in IconButton',
};

it('shows every component', () => {
  const page = SOURCES['./Gallery.tsx'] ?? '';
  // Removing a person asks by Confirm.
  expect(SOURCES['../../room/panels/PeoplePanel.tsx']).toContain('<Confirm');
  const names = Object.keys(SOURCES)
    .filter((path) => path.startsWith('../../ui/'))
    .map((path) => path.split('/').at(-1)?.replace('.tsx', '') ?? '');
  expect(names.length).toBeGreaterThan(15);
  const shown = (name: string): boolean =>
    page.includes(`<${name}`) || (name === 'Confirm' && page.includes('<RemoveDialog'));
  expect(names.filter((name) => !shown(name) && !(name in ELSEWHERE))).toEqual([]);
});
