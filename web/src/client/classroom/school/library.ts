/** A tutor's library: exercises with a text, a link and a file, kept outside of sessions. */
import { fieldsOf, listOf, numberOf, textOf, wordOf, type Fields } from '../../json';
import { Problem, type Caller } from '../call';
import type { Watcher } from '../sendBody';
import { pathOf } from '../sessions';

export const ITEM_KINDS = ['exercise', 'poll', 'set'] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

/** An item in the list. */
export interface Entry {
  id: string;
  kind: ItemKind;
  title: string;
}

export interface Exercise {
  title: string;
  text: string;
  link: string;
  /** Id of a file of the library; empty: none. */
  file: string;
}

/** An exercise with the version that a change of it replaces. */
export interface StoredExercise extends Exercise {
  id: string;
  version: number;
}

export interface LibraryFile {
  id: string;
  name: string;
  size: number;
}

export const NEW_EXERCISE: Exercise = { title: '', text: '', link: '', file: '' };

const itemPath = (id: string): string => `/library/${encodeURIComponent(id)}`;
const filePath = (id: string): string => `/library/files/${encodeURIComponent(id)}`;

function readEntry(fields: Fields): Entry {
  return {
    id: textOf(fields['id']),
    kind: wordOf(fields['kind'], ITEM_KINDS),
    title: textOf(fields['title']),
  };
}

function readExercise(fields: Fields): StoredExercise {
  const content = fieldsOf(fields['content']);
  return {
    id: textOf(fields['id']),
    version: numberOf(fields['version']) ?? 1,
    title: textOf(content['title']),
    text: textOf(content['text']),
    link: textOf(content['link']),
    file: textOf(content['file']),
  };
}

function readFile(fields: Fields): LibraryFile {
  return { id: textOf(fields['id']), name: textOf(fields['name']), size: numberOf(fields['size']) ?? 0 };
}

const contentOf = ({ title, text, link, file }: Exercise): Fields => ({
  kind: 'exercise',
  title: title.trim(),
  text: text.trim(),
  link: link.trim(),
  file,
});

/** Whether a link is one that the server accepts; an empty one is no link. */
export function isLink(link: string): boolean {
  const written = link.trim();
  return written === '' || (/^https?:\/\//iu.test(written) && URL.canParse(written));
}

export const library = {
  /** A page of the items, the newest first, and the cursor of the next page; empty: this is the last. */
  async page(caller: Caller, cursor = ''): Promise<{ entries: Entry[]; next: string }> {
    const query = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const fields = await caller.get(`/library?limit=100${query}`);
    const entries = listOf(fields['data']).map(fieldsOf).map(readEntry);
    return { entries, next: textOf(fields['next_cursor']) };
  },

  async exercise(caller: Caller, id: string): Promise<StoredExercise> {
    return readExercise(await caller.get(itemPath(id)));
  },

  async add(caller: Caller, exercise: Exercise): Promise<void> {
    await caller.post('/library', { content: contentOf(exercise) });
  },

  /** Replace a version; `Problem` with `changed_meanwhile` if there is a later one. */
  async change(caller: Caller, { id, version, ...exercise }: StoredExercise): Promise<void> {
    await caller.put(itemPath(id), { content: contentOf(exercise), version });
  },

  async remove(caller: Caller, id: string): Promise<void> {
    await caller.delete(itemPath(id));
  },

  async files(caller: Caller): Promise<LibraryFile[]> {
    return listOf((await caller.get('/library/files'))['data'])
      .map(fieldsOf)
      .map(readFile);
  },

  async sendFile(caller: Caller, file: File, watcher?: Watcher): Promise<LibraryFile> {
    const query = new URLSearchParams({ name: file.name }).toString();
    return readFile(await caller.upload(`/library/files?${query}`, file, watcher));
  },

  loadFile(caller: Caller, id: string): Promise<Blob> {
    return caller.load(filePath(id));
  },

  /** Delete a file, unless an item names it. */
  async dropFile(caller: Caller, id: string): Promise<void> {
    try {
      await caller.delete(filePath(id));
    } catch (error) {
      if (!(error instanceof Problem) || (error.code !== 'file_in_use' && error.status !== 404)) throw error;
    }
  },

  /** Copy an item into a session, and assign its exercises to all students. */
  async use(caller: Caller, session: string, item: string): Promise<void> {
    await caller.post(`${pathOf(session)}/from-library`, { item, assign: true });
  },
};
