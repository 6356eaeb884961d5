/** What an access token says, for display only: the server alone decides what it is worth. */

import type { Address } from './address';
import { fieldsOf, textOf, type Fields } from './json';

export interface Claims {
  room: string;
  identity: string;
  /** Display name; empty when the token gives none. */
  name: string;
  /** The participant may choose a display name. */
  mayRename: boolean;
  /** The participant may send sound or pictures. */
  mayPublish: boolean;
}

/** Read a token's claims; undefined when it is not a LiveKit access token for a room. */
export function readClaims(token: string): Claims | undefined {
  const payload = decodePayload(token);
  if (payload === undefined) return undefined;
  const video = fieldsOf(payload['video']);
  const room = textOf(video['room']);
  const identity = textOf(payload['sub']);
  if (room === '' || identity === '') return undefined;
  return {
    room,
    identity,
    name: textOf(payload['name']),
    mayRename: video['canUpdateOwnMetadata'] === true,
    // Absent means yes (LiveKit's grants).
    mayPublish: video['canPublish'] !== false,
  };
}

/** A token out of what somebody pasted: the token itself, or a link that carries it. */
export function findToken(pasted: string): string {
  const text = pasted.trim();
  return /[#&]token=([^&\s]+)/.exec(text)?.[1] ?? text;
}

/**
 * The token to use, of the one in the page's address and the one that this tab kept. The kept one is for reloads: it
 * counts only at the link of its own room.
 */
export function chooseToken(address: Address, kept: string): string {
  if (address.token !== '') return address.token;
  return kept !== '' && readClaims(kept)?.room === address.room ? kept : '';
}

/** The name that the token fixes; undefined when the participant types one. */
export function fixedName(claims: Claims): string | undefined {
  if (claims.name !== '') return claims.name;
  return claims.mayRename ? undefined : claims.identity;
}

function decodePayload(token: string): Fields | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    // RFC 7515, section 2: base64url without padding.
    const binary = atob((parts[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return fieldsOf(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}
