import { encode } from 'uqr';
import { expect, it } from 'vitest';

import { qrPath } from './qrPath';

/** The modules that the rectangles of a path cover. */
function covered(path: string): Set<string> {
  const found = new Set<string>();
  for (const [, x = '', y = '', width = ''] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/gu)) {
    for (let at = Number(x); at < Number(x) + Number(width); at += 1) found.add(`${at},${y}`);
  }
  return found;
}

it('covers exactly the dark modules of a code', () => {
  const uri =
    'otpauth://totp/school.example:ada%40school.example?secret=JBSWY3DPEHPK3PXP&issuer=school.example';
  const { data } = encode(uri, { border: 4 });
  const dark = data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`${x},${y}`] : [])));
  expect(dark.length).toBeGreaterThan(200);
  expect(covered(qrPath(data))).toEqual(new Set(dark));
});

it('draws runs, also at the end of a row', () => {
  expect(
    qrPath([
      [true, true, false, true],
      [false, false, false, false],
    ]),
  ).toBe('M0 0h2v1h-2zM3 0h1v1h-1z');
});
