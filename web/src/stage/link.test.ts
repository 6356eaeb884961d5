import { describe, expect, it } from 'vitest';

import { linkOf, linkState, otherLinkWords, ownLinkWords, type Link } from './link';

const weak: Link = { kbps: 300, cameras: false, screen: true, loss: 0 };

describe('linkOf', () => {
  it('reads what the server wrote', () => {
    expect(linkOf({ 'lectern.link': JSON.stringify(weak) })).toEqual(weak);
  });
  it.each<Record<string, string>>([
    {},
    { 'lectern.link': '' },
    { 'lectern.link': '{' },
    { 'lectern.link': '{"kbps":"300"}' },
    { 'lectern.link': '3' },
  ])('takes %o for nothing', (attributes) => {
    expect(linkOf(attributes)).toBeUndefined();
  });
});

it.each<[Partial<Link>, string, string]>([
  [
    {},
    'Sound and text first, cameras off: your connection carries about 300 kbit/s.',
    'Ben’s connection carries about 300 kbit/s: slides come late, cameras are off.',
  ],
  [
    { kbps: 50, screen: false },
    'Sound only: your connection carries about 50 kbit/s.',
    'Ben’s connection carries about 50 kbit/s: sound only, your screen is not seen.',
  ],
  [{ kbps: 1500, cameras: true }, 'Smaller pictures: your connection carries about 1.5 Mbit/s.', ''],
  [
    { cameras: true },
    'Smaller pictures: your connection carries about 300 kbit/s.',
    'Ben’s connection carries about 300 kbit/s: slides come late.',
  ],
  [{ kbps: 0 }, '', 'Ben has no connection at the moment.'],
  [
    { kbps: null, cameras: true, loss: 10 },
    'Your connection loses 10 % of what is sent. Sound is sent twice to make up for it.',
    'Ben’s connection loses 10 % of what is sent.',
  ],
  [{ kbps: null, cameras: true, loss: 5 }, '', ''],
])('tells of %o', (change, own, other) => {
  const link = { ...weak, ...change };
  expect(ownLinkWords(link)).toBe(own);
  expect(otherLinkWords('Ben', link)).toBe(other);
});

it.each<[string, Partial<Link> | undefined, string, string | undefined]>([
  ['no report', undefined, 'excellent', undefined],
  ['no report and a poor quality', undefined, 'poor', 'poor'],
  ['no report and a lost connection', undefined, 'lost', 'lost'],
  ['nothing at present', { kbps: 0 }, 'excellent', 'lost'],
  ['little', { kbps: 300 }, 'excellent', 'poor'],
  ['enough for everything', { kbps: 1500, cameras: true }, 'excellent', undefined],
  ['enough, but without cameras', { kbps: 700 }, 'good', 'poor'],
  ['losses', { kbps: null, cameras: true, loss: 8 }, 'excellent', 'poor'],
  ['small losses', { kbps: null, cameras: true, loss: 3 }, 'excellent', undefined],
])('with %s the tile shows', (_, change, quality, expected) => {
  expect(linkState(change === undefined ? undefined : { ...weak, ...change }, quality)).toBe(expected);
});
