/** A tutor's library: exercises, polls and sets of both, kept outside of sessions. */
import { fieldsOf, listOf, numberOf, textOf, textsOf, wordOf, type Fields } from '../../json';
import { Problem, type Caller } from '../call';
import type { Watcher } from '../sendBody';
import { pathOf } from '../sessions';

export const ITEM_KINDS = ['exercise', 'poll', 'set'] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

/** How a poll is answered. */
export const ANSWERS = ['single', 'multiple', 'rating', 'short'] as const;

/** As in `classroom/limits.py`. */
export const MOST_OPTIONS = 20;
export const MOST_STEPS = 10;
export const MOST_PARTS = 30;

/** An item in the list. */
export interface Entry {
  id: string;
  kind: ItemKind;
  title: string;
}

export interface ExerciseItem {
  kind: 'exercise';
  title: string;
  text: string;
  link: string;
  /** Id of a file of the library; empty: none. */
  file: string;
}

export interface PollItem {
  kind: 'poll';
  question: string;
  answers: (typeof ANSWERS)[number];
  /** Of single and multiple choice. */
  options: readonly string[];
  /** Of a rating: the highest value. */
  steps: number;
  anonymous: boolean;
}

export type Part = ExerciseItem | PollItem;

/** Exercises and polls that are used together, in order. */
export interface SetItem {
  kind: 'set';
  title: string;
  items: readonly Part[];
}

export type Item = Part | SetItem;

/** An item with the version that a change of it replaces. */
export interface StoredItem {
  id: string;
  version: number;
  content: Item;
}

export interface LibraryFile {
  id: string;
  name: string;
  size: number;
}

export const NEW_EXERCISE: ExerciseItem = { kind: 'exercise', title: '', text: '', link: '', file: '' };
export const NEW_POLL: PollItem = {
  kind: 'poll',
  question: '',
  answers: 'single',
  options: ['', ''],
  steps: 5,
  anonymous: false,
};
export const NEW_ITEMS: Readonly<Record<ItemKind, Item>> = {
  exercise: NEW_EXERCISE,
  poll: NEW_POLL,
  set: { kind: 'set', title: '', items: [] },
};

const itemPath = (id: string): string => `/library/${encodeURIComponent(id)}`;
const filePath = (id: string): string => `/library/files/${encodeURIComponent(id)}`;

function readEntry(fields: Fields): Entry {
  return {
    id: textOf(fields['id']),
    kind: wordOf(fields['kind'], ITEM_KINDS),
    title: textOf(fields['title']),
  };
}

function readPart(fields: Fields): Part {
  if (fields['kind'] === 'poll') {
    return {
      kind: 'poll',
      question: textOf(fields['question']),
      answers: wordOf(fields['answers'], ANSWERS),
      options: textsOf(fields['options']),
      steps: numberOf(fields['steps']) ?? NEW_POLL.steps,
      anonymous: fields['anonymous'] === true,
    };
  }
  return {
    kind: 'exercise',
    title: textOf(fields['title']),
    text: textOf(fields['text']),
    link: textOf(fields['link']),
    file: textOf(fields['file']),
  };
}

function readItem(fields: Fields): StoredItem {
  const content = fieldsOf(fields['content']);
  const items = listOf(content['items']).map(fieldsOf).map(readPart);
  return {
    id: textOf(fields['id']),
    version: numberOf(fields['version']) ?? 1,
    content:
      content['kind'] === 'set' ? { kind: 'set', title: textOf(content['title']), items } : readPart(content),
  };
}

function readFile(fields: Fields): LibraryFile {
  return { id: textOf(fields['id']), name: textOf(fields['name']), size: numberOf(fields['size']) ?? 0 };
}

/** Whether the answers of a poll are options. */
export function hasOptions({ answers }: PollItem): boolean {
  return answers === 'single' || answers === 'multiple';
}

/** The options that have a text, each once. */
function givenOptions(poll: PollItem): string[] {
  const given = poll.options.map((option) => option.trim()).filter((option) => option !== '');
  return hasOptions(poll) ? [...new Set(given)] : [];
}

/** An item as it is stored: without spaces around texts and without empty options. */
function contentOf(item: Item): Item {
  switch (item.kind) {
    case 'exercise':
      return { ...item, title: item.title.trim(), text: item.text.trim(), link: item.link.trim() };
    case 'poll':
      return { ...item, question: item.question.trim(), options: givenOptions(item) };
    case 'set':
      return {
        ...item,
        title: item.title.trim(),
        items: item.items.map((part) => contentOf(part) as Part),
      };
  }
}

export function titleOf(item: Item): string {
  return (item.kind === 'poll' ? item.question : item.title).trim();
}

/** What is missing in an item; undefined if nothing is. */
export function itemFault(item: Item): 'title' | 'link' | 'poll' | 'set' | undefined {
  if (item.kind === 'poll') {
    const incomplete = hasOptions(item) && givenOptions(item).length < 2;
    return titleOf(item) === '' || incomplete ? 'poll' : undefined;
  }
  if (titleOf(item) === '') return 'title';
  if (item.kind === 'exercise') return isLink(item.link) ? undefined : 'link';
  if (item.items.length === 0) return 'set';
  return item.items.map(itemFault).find((fault) => fault !== undefined);
}

/** The files that an item names. */
export function filesOf(item: Item): string[] {
  if (item.kind === 'set') return item.items.flatMap(filesOf);
  return item.kind === 'exercise' && item.file !== '' ? [item.file] : [];
}

/** Parts of which one moved up (`by` is -1) or down. */
export function movedPart(parts: readonly Part[], at: number, by: number): readonly Part[] {
  const [part, other] = [parts[at], parts[at + by]];
  if (part === undefined || other === undefined) return parts;
  return parts.map((each, index) => (index === at ? other : index === at + by ? part : each));
}

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

  async item(caller: Caller, id: string): Promise<StoredItem> {
    return readItem(await caller.get(itemPath(id)));
  },

  async add(caller: Caller, item: Item): Promise<void> {
    await caller.post('/library', { content: contentOf(item) });
  },

  /** Replace a version; `Problem` with `changed_meanwhile` if there is a later one. */
  async change(caller: Caller, { id, version, content }: StoredItem): Promise<void> {
    await caller.put(itemPath(id), { content: contentOf(content), version });
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
