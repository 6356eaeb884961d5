/** Captions of tiles, and the initials and colours that replace a picture. */

import { t } from '../client/text/catalogue';

/** The name to show for a participant: guests without a name are named by their identity. */
export function shownName({ name, identity }: { name?: string | undefined; identity: string }): string {
  return name === undefined || name === '' ? identity : name;
}

/** The first letters of the first and the last word of a name; a question mark for an empty name. */
export function initials(name: string): string {
  const words = name.split(/\s+/u).filter((word) => word !== '');
  const first = words.at(0);
  if (first === undefined) return '?';
  const last = words.length > 1 ? words.at(-1) : undefined;
  return (letter(first) + letter(last ?? '')).toUpperCase();
}

/** The caption of a tile. */
export function caption(
  name: string,
  { isLocal, isScreen }: { isLocal: boolean; isScreen: boolean },
): string {
  if (isScreen) return t('tile.screen', { name });
  return isLocal ? t('tile.you', { name }) : name;
}

/** A hue in degrees that is always the same for an identity, and differs between similar identities. */
export function hue(identity: string): number {
  let hash = 0;
  for (const character of identity) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) | 0;
  // MurmurHash3's finaliser, with its published constants: without it, student-1 and student-2 look the same.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % 360;
}

function letter(word: string): string {
  // By code point, so that no surrogate pair is cut in half.
  return String.fromCodePoint(word.codePointAt(0) ?? 32).trim();
}
