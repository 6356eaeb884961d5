/** Finds web addresses in a text. */

export interface Part {
  text: string;
  /** Undefined for text between addresses. */
  href?: string;
}

const ADDRESS = /https?:\/\/[^\s<>"]+/giu;
// Punctuation that belongs to the sentence and not to the address.
const TRAILING = /[.,;:!?'’)\]]+$/u;

/** Split a text into addresses and the text between them; only http and https count. */
export function linkParts(text: string): Part[] {
  const parts: Part[] = [];
  let done = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const found = match[0].replace(TRAILING, '');
    if (!URL.canParse(found)) continue;
    if (match.index > done) parts.push({ text: text.slice(done, match.index) });
    parts.push({ text: found, href: found });
    done = match.index + found.length;
  }
  if (done < text.length) parts.push({ text: text.slice(done) });
  return parts;
}
