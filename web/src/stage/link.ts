/** What the server reports about a participant's connection, and the sentences that say it to people. */

import { LINK } from '../client/attributes';

/** The attribute's value (signaling/rooms/links.py). */
export interface Link {
  /** About what the connection carries, kbit/s; 0: nothing at present; null: as much as is wanted. */
  kbps: number | null;
  /** Whether no camera is left out. */
  cameras: boolean;
  /** Whether no shared screen is left out. */
  screen: boolean;
  /** Packets lost, in percent. */
  loss: number;
}

/** Read the attribute; undefined while the connection is no limit, or when the attribute cannot be read. */
export function linkOf(attributes: Readonly<Record<string, string>>): Link | undefined {
  try {
    const value: unknown = JSON.parse(attributes[LINK] ?? 'null');
    return isLink(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isLink(value: unknown): value is Link {
  if (typeof value !== 'object' || value === null) return false;
  const { kbps, cameras, screen, loss } = value as Record<string, unknown>;
  const rate = kbps === null || typeof kbps === 'number';
  return rate && typeof cameras === 'boolean' && typeof screen === 'boolean' && typeof loss === 'number';
}

/** Tell somebody what their own connection allows; empty when there is nothing to tell. */
export function ownLinkWords({ kbps, cameras, screen, loss }: Link): string {
  if (kbps === 0) return '';
  if (kbps === null) {
    return loss > 5
      ? `Your connection loses ${String(loss)} % of what is sent. Sound is sent twice to make up for it.`
      : '';
  }
  const carries = `your connection carries about ${rate(kbps)}.`;
  if (!screen) return `Sound only: ${carries}`;
  return cameras ? `Smaller pictures: ${carries}` : `Sound and text first, cameras off: ${carries}`;
}

/** Tell whoever presents about somebody else's connection; empty when there is nothing to tell. */
export function otherLinkWords(name: string, { kbps, cameras, screen, loss }: Link): string {
  if (kbps === 0) return `${name} has no connection at the moment.`;
  if (kbps === null) return loss > 5 ? `${name}’s connection loses ${String(loss)} % of what is sent.` : '';
  const carries = `${name}’s connection carries about ${rate(kbps)}`;
  if (!screen) return `${carries}: sound only, your screen is not seen.`;
  if (cameras && kbps >= 500) return '';
  return cameras ? `${carries}: slides come late.` : `${carries}: slides come late, cameras are off.`;
}

function rate(kbps: number): string {
  return kbps < 1000 ? `${String(kbps)} kbit/s` : `${String(kbps / 1000)} Mbit/s`;
}
