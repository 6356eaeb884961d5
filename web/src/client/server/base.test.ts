import { describe, expect, it } from 'vitest';

import { basePath, pathInside, serverPath } from './base';

describe('the base path', () => {
  it.each([
    ['https://school.example/', '/', '/rtc'],
    ['https://school.example/lectern/', '/lectern/', '/lectern/rtc'],
    ['https://school.example/a/b/', '/a/b/', '/a/b/rtc'],
    ['', '/', '/rtc'],
  ])('of %s', (base, path, rtc) => {
    expect(basePath(base)).toBe(path);
    expect(serverPath('/rtc', basePath(base))).toBe(rtc);
    expect(pathInside(rtc, basePath(base))).toBe('/rtc');
  });

  it('does not change paths outside of it', () => {
    expect(pathInside('/elsewhere', '/lectern/')).toBe('/elsewhere');
  });
});
