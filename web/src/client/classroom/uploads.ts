/** Sending files into a session, and making slides from them. */
import { textOf } from '../json';
import { LONG_MS } from './call';
import type { FollowedSession } from './live/session';
import type { Watcher } from './sendBody';
import { pathOf } from './sessions';

const MIB = 2 ** 20;
// As in `classroom/limits.py` and `classroom/features/files.py`; the server decides, this only reports problems earlier.
const LARGE_BYTES = 100 * MIB;
const SMALL_BYTES = 20 * MIB;
const LARGE = ['pdf', 'mp3', 'ogg', 'opus', 'zip', 'docx', 'pptx', 'xlsx', 'odt', 'odp', 'ods'];
const IMAGES = ['png', 'jpg', 'jpeg', 'gif', 'webp'];
const TEXTS = ['txt', 'md', 'csv', 'tsv', 'py', 'java', 'c', 'h', 'cpp', 'js', 'ts', 'json'];

/** For a file input. */
export const ACCEPTED = [...LARGE, ...IMAGES, ...TEXTS].map((ending) => `.${ending}`).join(',');

/** Why the server would refuse a file; undefined if it may accept it. */
export function refusalOf({
  name,
  size,
}: Pick<File, 'name' | 'size'>): 'type' | 'large' | 'image' | undefined {
  const ending = name.toLowerCase().split('.').slice(1).at(-1) ?? '';
  if (LARGE.includes(ending)) return size > LARGE_BYTES ? 'large' : undefined;
  if (IMAGES.includes(ending) || TEXTS.includes(ending)) return size > SMALL_BYTES ? 'image' : undefined;
  return 'type';
}

/** Add a file; returns its id. `staffOnly`: students cannot load it. */
export async function sendFile(
  session: FollowedSession,
  file: File,
  staffOnly: boolean,
  watcher?: Watcher,
): Promise<string> {
  const query = new URLSearchParams({ name: file.name, ...(staffOnly && { scope: 'staff' }) });
  const path = `${pathOf(session.id)}/files?${query.toString()}`;
  return textOf((await session.caller.upload(path, file, watcher))['id']);
}

/** Make slides from a PDF among the files; returns the id of the deck. It can take several minutes. */
export async function makeDeck(session: FollowedSession, file: string): Promise<string> {
  return textOf(
    (await session.caller.post(`${pathOf(session.id)}/slides/from-file`, { file }, LONG_MS))['id'],
  );
}
