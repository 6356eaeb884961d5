/** Bounds what a picture may take, by reasons that come and go; the tightest holds. */

/** A sender, as far as its bounds go. */
export type Capped = Pick<RTCRtpSender, 'getParameters' | 'setParameters'>;

interface Bounds {
  /** What each layer was given when it was published. */
  given: readonly (number | undefined)[];
  byReason: Map<string, number>;
}

const BOUNDS = new WeakMap<Capped, Bounds>();

/** Bound each layer to so many bits per second for this reason; undefined takes the reason back. */
export async function capBitrate(
  sender: Capped | undefined,
  reason: string,
  limitBps: number | undefined,
): Promise<void> {
  if (sender === undefined) return;
  const parameters = sender.getParameters();
  const bounds = BOUNDS.get(sender) ?? {
    given: parameters.encodings.map((encoding) => encoding.maxBitrate),
    byReason: new Map<string, number>(),
  };
  BOUNDS.set(sender, bounds);
  if (limitBps === undefined) bounds.byReason.delete(reason);
  else bounds.byReason.set(reason, limitBps);
  const tightest = Math.min(...bounds.byReason.values());
  parameters.encodings.forEach((encoding, index) => {
    const given = bounds.given[index];
    if (given !== undefined) encoding.maxBitrate = Math.min(given, tightest);
  });
  await sender.setParameters(parameters);
}
