/** The files of a session that this person may load, the latest first. */
import { fieldsOf, listOf, numberOf, textOf, wordOf, type Fields } from '../../../json';
import type { SessionEvent } from '../event';

export const FILE_SCOPES = ['all', 'staff', 'person'] as const;

export interface SessionFile {
  id: string;
  by: string;
  name: string;
  /** Bytes. */
  size: number;
  /** Content type, as detected by the server. */
  kind: string;
  scope: (typeof FILE_SCOPES)[number];
}

function readFile(value: unknown): SessionFile {
  const fields = fieldsOf(value);
  return {
    id: textOf(fields['id']),
    by: textOf(fields['by']),
    name: textOf(fields['name']),
    size: numberOf(fields['size']) ?? 0,
    kind: textOf(fields['kind']),
    scope: wordOf(fields['scope'], FILE_SCOPES),
  };
}

export function readFiles(fields: Fields): SessionFile[] {
  return listOf(fields['files']).map(readFile);
}

export function applyFiles(files: readonly SessionFile[], event: SessionEvent): readonly SessionFile[] {
  switch (event.type) {
    case 'files.added':
      return [readFile(event.fields['file']), ...files];
    case 'files.removed': {
      const { id } = readFile(event.fields['file']);
      return files.filter((file) => file.id !== id);
    }
    default:
      return files;
  }
}
