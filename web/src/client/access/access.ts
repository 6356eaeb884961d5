/** Reads an access token for display only: the server verifies it and decides what it permits. */

import { invitationPath, readAddress, roomPath, type Address } from './address';
import { fieldsOf, textOf, type Fields } from '../json';

export interface Claims {
  room: string;
  identity: string;
  /** Display name; empty when the token has none. */
  name: string;
  /** Whether the participant may choose a display name. */
  mayRename: boolean;
  /** Whether the participant may publish audio or video. */
  mayPublish: boolean;
  /** Whether the participant may mute and remove others, and invite. */
  administers: boolean;
}

/** Read a token's claims; undefined unless it is a LiveKit access token for a room. */
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
    // LiveKit's grants: publishing is allowed unless the claim says otherwise.
    mayPublish: video['canPublish'] !== false,
    administers: video['roomAdmin'] === true,
  };
}

/** The claim that holds the room of an invitation (signaling/http/invitations.py). */
const INVITES = 'lectern_invites';

/** The room that an invitation admits to; undefined unless it is an invitation. */
export function readInvitation(invitation: string): string | undefined {
  const room = textOf(decodePayload(invitation)?.[INVITES]);
  return room === '' ? undefined : room;
}

/** Find the invitation in pasted text; empty when there is none. */
export function findInvitation(pasted: string): string {
  return /[#&]invitation=([^&\s]+)/.exec(pasted)?.[1] ?? '';
}

/** Find the token in pasted text, which is the token itself or a link that contains it. */
export function findToken(pasted: string): string {
  const text = pasted.trim();
  return /[#&]token=([^&\s]+)/.exec(text)?.[1] ?? text;
}

/**
 * Choose between the token in the page's address and the one that this tab stored. The stored token is there for
 * reloads and is valid only at the link of its own room.
 */
export function chooseToken(address: Address, stored: string): string {
  if (address.token !== '') return address.token;
  return stored !== '' && readClaims(stored)?.room === address.room ? stored : '';
}

/**
 * The path of the room for which a location has an access token or an invitation, with it; undefined without one. Such links
 * may lead to any path, since the fragment names the room.
 */
export function roomLink(page: Pick<Location, 'pathname' | 'hash'>): string | undefined {
  const { token, invitation } = readAddress(page);
  const claims = readClaims(token);
  if (claims !== undefined) return `${roomPath(claims.room)}#token=${token}`;
  const room = readInvitation(invitation);
  return room === undefined ? undefined : invitationPath(room, invitation);
}

/** The display name that the token prescribes; undefined when the participant may type one. */
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
