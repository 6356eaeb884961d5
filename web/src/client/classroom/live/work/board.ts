/** The pages of the whiteboard, and the one that everybody sees. Their content is in `client/classroom/board`. */
import { fieldsOf, listOf, textOf, type Fields } from '../../../json';
import type { SessionEvent } from '../event';

export interface Board {
  /** Ids of the pages, in order. */
  pages: readonly string[];
  /** The page that everybody sees; empty while there is none. */
  current: string;
}

export function readBoard(fields: Fields): Board {
  return {
    pages: listOf(fields['pages']).map((page) => textOf(fieldsOf(page)['id'])),
    current: textOf(fields['current']),
  };
}

export function applyBoard(part: Board, { type, fields }: SessionEvent): Board {
  const page = textOf(fields['page']);
  switch (type) {
    case 'whiteboard.page_added':
      return { pages: [...part.pages, page], current: part.current === '' ? page : part.current };
    case 'whiteboard.page_removed': {
      const pages = part.pages.filter((each) => each !== page);
      return { pages, current: part.current === page ? (pages[0] ?? '') : part.current };
    }
    case 'whiteboard.turned':
      return { ...part, current: page };
    default:
      return part;
  }
}
