/** What the server reports about a participant's connection, and the sentences that say it to people. */

import { LINK } from '../client/attributes';
import { t } from '../client/text/catalogue';

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
  if (kbps === null) return loss > NOTABLE_LOSS ? t('link.ownLoss', { loss }) : '';
  const values = { rate: rate(kbps) };
  if (!screen) return t('link.ownSound', values);
  return cameras ? t('link.ownSmaller', values) : t('link.ownNoCameras', values);
}

/** Tell whoever presents about somebody else's connection; empty when there is nothing to tell. */
export function otherLinkWords(name: string, { kbps, cameras, screen, loss }: Link): string {
  if (kbps === 0) return t('link.none', { name });
  if (kbps === null) return loss > NOTABLE_LOSS ? t('link.loss', { name, loss }) : '';
  const values = { name, rate: rate(kbps) };
  if (!screen) return t('link.sound', values);
  if (cameras && kbps >= ENOUGH_KBPS) return '';
  return cameras ? t('link.late', values) : t('link.lateNoCameras', values);
}

/** How bad a participant's connection is, for the icon on the tile; undefined while it is good enough. */
export function linkState(link: Link | undefined, quality: Quality): 'poor' | 'lost' | undefined {
  if (quality === 'lost' || link?.kbps === 0) return 'lost';
  if (quality === 'poor') return 'poor';
  if (link === undefined) return undefined;
  const narrow = link.kbps !== null && (link.kbps < ENOUGH_KBPS || !link.cameras || !link.screen);
  return narrow || link.loss > NOTABLE_LOSS ? 'poor' : undefined;
}

/** LiveKit's `ConnectionQuality` as far as it matters here. */
export type Quality = 'poor' | 'lost' | (string & {});

// Losses up to this are hidden by retransmission and redundant audio.
const NOTABLE_LOSS = 5;
// Enough for a slide within a second beside the sound, which is when nobody notices.
const ENOUGH_KBPS = 500;

function rate(kbps: number): string {
  return kbps < 1000 ? `${String(kbps)} kbit/s` : `${String(kbps / 1000)} Mbit/s`;
}
