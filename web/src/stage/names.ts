/** Names on tiles, and what stands in for a face. */

/** One or two letters for a name: of the first and the last word; a question mark when there are none. */
export function initials(name: string): string {
  const words = name.split(/\s+/u).filter((word) => word !== '');
  const first = words.at(0);
  if (first === undefined) return '?';
  const last = words.length > 1 ? words.at(-1) : undefined;
  return (letter(first) + letter(last ?? '')).toUpperCase();
}

/** The words under a picture. */
export function caption(
  name: string,
  { isLocal, isScreen }: { isLocal: boolean; isScreen: boolean },
): string {
  if (isScreen) return `Screen of ${name}`;
  return isLocal ? `${name} (you)` : name;
}

/** A hue in degrees that stays the same for an identity, and differs for identities that are alike. */
export function hue(identity: string): number {
  let hash = 0;
  for (const character of identity) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) | 0;
  // MurmurHash3's last step (its published constants): without it, student-1 and student-2 look the same.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % 360;
}

function letter(word: string): string {
  // By code point: half a surrogate pair is no letter.
  return String.fromCodePoint(word.codePointAt(0) ?? 32).trim();
}
