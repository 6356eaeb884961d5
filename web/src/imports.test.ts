/** Imports never lead in a circle, those of types included: a reader can take any file after the ones it imports. */
import { expect, it } from 'vitest';

const SOURCES = import.meta.glob<string>('./**/*.{ts,tsx}', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const IMPORT = /\bfrom\s+'(\.[^']*)'|\bimport\s+'(\.[^']*)'/gu;

/** The files of this folder that a file imports. */
function imports(file: string): string[] {
  const base = new URL(file, 'https://src/');
  return [...(SOURCES[file] ?? '').matchAll(IMPORT)].flatMap((match) => {
    const path = `.${new URL(match[1] ?? match[2] ?? '', base).pathname}`;
    const found = [path, `${path}.ts`, `${path}.tsx`].find((candidate) => candidate in SOURCES);
    return found ?? [];
  });
}

/** The first circle that a graph holds, as the files along it; empty when there is none. */
function circle(files: readonly string[], next: (file: string) => readonly string[]): readonly string[] {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): readonly string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const other of next(file)) {
      const found = visit(other, [...path, file]);
      if (found.length > 0) return found;
    }
    done.add(file);
    return [];
  };
  for (const file of files) {
    const found = visit(file, []);
    if (found.length > 0) return found;
  }
  return [];
}

it('finds a circle in a graph that has one', () => {
  const graph: Record<string, string[]> = { a: ['b'], b: ['c', 'd'], c: [], d: ['b'] };
  expect(circle(Object.keys(graph), (file) => graph[file] ?? [])).toEqual(['b', 'd', 'b']);
});

it('reads the imports of a file', () => {
  expect(imports('./pages/main/App.tsx')).toEqual(
    expect.arrayContaining(['./client/access/address.ts', './lobby/Lobby.tsx', './pages/main/screen.ts']),
  );
});

it('finds none in src', () => {
  expect(circle(Object.keys(SOURCES), imports)).toEqual([]);
});
