/** Limits the bitrate of a video sender. Several limits may apply at once, each for a reason; the lowest decides. */

/** The part of a sender that is needed here. */
export type Capped = Pick<RTCRtpSender, 'getParameters' | 'setParameters'>;

interface Limits {
  /** `maxBitrate` of each layer when it was published, in bit/s. */
  given: readonly (number | undefined)[];
  byReason: Map<string, number>;
}

const LIMITS = new WeakMap<Capped, Limits>();

/** Limit each layer to this bitrate for this reason; undefined removes the reason's limit. */
export async function capBitrate(
  sender: Capped | undefined,
  reason: string,
  limitBps: number | undefined,
): Promise<void> {
  if (sender === undefined) return;
  const parameters = sender.getParameters();
  const limits = LIMITS.get(sender) ?? {
    given: parameters.encodings.map((encoding) => encoding.maxBitrate),
    byReason: new Map<string, number>(),
  };
  LIMITS.set(sender, limits);
  if (limitBps === undefined) limits.byReason.delete(reason);
  else limits.byReason.set(reason, limitBps);
  const lowest = Math.min(...limits.byReason.values());
  parameters.encodings.forEach((encoding, index) => {
    const given = limits.given[index];
    if (given !== undefined) encoding.maxBitrate = Math.min(given, lowest);
  });
  await sender.setParameters(parameters);
}
