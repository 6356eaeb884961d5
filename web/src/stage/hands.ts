/** Raised hands: an attribute that participants set on themselves. */

/** Attribute: when the participant raised a hand, in milliseconds since 1970; empty or absent while it is down. */
export const HAND = 'hand.raised_at';

/** When a hand was raised, in milliseconds since 1970; 0 while it is down. */
export function handRaisedAt(attributes: Readonly<Record<string, string>>): number {
  const at = Number(attributes[HAND] ?? '');
  return Number.isFinite(at) && at > 0 ? at : 0;
}
