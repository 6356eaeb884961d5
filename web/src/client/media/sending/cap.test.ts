import { expect, it } from 'vitest';

import { capBitrate, type Capped } from './cap';

function sender(...bitrates: (number | undefined)[]) {
  let encodings = bitrates.map((maxBitrate): RTCRtpEncodingParameters => ({
    ...(maxBitrate !== undefined && { maxBitrate }),
  }));
  const capped: Capped = {
    getParameters: () => ({ encodings: encodings.map((each) => ({ ...each })) }) as RTCRtpSendParameters,
    setParameters: (parameters) => {
      encodings = parameters.encodings;
      return Promise.resolve();
    },
  };
  return { capped, now: () => encodings.map(({ maxBitrate }) => maxBitrate) };
}

it('applies the lowest of several limits, and restores the original bitrates', async () => {
  const { capped, now } = sender(150, 500, 1700);
  await capBitrate(capped, 'sharing', 600);
  expect(now()).toEqual([150, 500, 600]);
  await capBitrate(capped, 'application', 200);
  expect(now()).toEqual([150, 200, 200]);
  await capBitrate(capped, 'sharing', undefined);
  expect(now()).toEqual([150, 200, 200]);
  await capBitrate(capped, 'application', undefined);
  expect(now()).toEqual([150, 500, 1700]);
});

it('changes neither a layer without a bitrate nor a missing sender', async () => {
  const { capped, now } = sender(undefined);
  await capBitrate(capped, 'sharing', 600);
  expect(now()).toEqual([undefined]);
  await expect(capBitrate(undefined, 'sharing', 600)).resolves.toBeUndefined();
});
