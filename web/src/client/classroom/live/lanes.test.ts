import { describe, expect, it } from 'vitest';

import { laneOf, Lanes } from './lanes';

describe('Lanes', () => {
  it('runs the calls of a lane one after the other, also after a failure', async () => {
    const lanes = new Lanes();
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const call =
      (name: string, fails = false) =>
      () => {
        begun.push(name);
        return new Promise<string>((resolve, reject) => {
          ends.push(() => (fails ? reject(new Error(name)) : resolve(name)));
        });
      };
    const first = lanes.run('slides', call('first', true));
    const second = lanes.run('slides', call('second'));
    const other = lanes.run('hands', call('other'));
    expect(begun).toEqual(['first', 'other']);
    ends[0]?.();
    await expect(first).rejects.toThrow('first');
    await Promise.resolve();
    expect(begun).toEqual(['first', 'other', 'second']);
    ends[2]?.();
    await expect(second).resolves.toBe('second');
    void lanes.run('slides', call('third'));
    expect(begun.at(-1)).toBe('third');
    ends[1]?.();
    await expect(other).resolves.toBe('other');
  });
});

it.each([
  ['/slides/d_1/go-to', 'slides'],
  ['/hands', 'hands'],
  ['/moderation/mute', 'moderation'],
])('the lane of %s is %s', (path, lane) => {
  expect(laneOf(path)).toBe(lane);
});
