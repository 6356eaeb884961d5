import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Problem } from '../../client/classroom/call';
import { UnreachableError } from '../../client/server/server';
import { BoardPictures } from './pictures';

class Bitmap {
  readonly close = vi.fn();
  readonly width = 1;
  readonly height = 1;
}

const load = vi.fn<(path: string) => Promise<Blob>>();
let running = 0;
let most = 0;
const bitmaps: Bitmap[] = [];

async function decode(): Promise<ImageBitmap> {
  running += 1;
  most = Math.max(most, running);
  await Promise.resolve();
  running -= 1;
  const bitmap = new Bitmap();
  bitmaps.push(bitmap);
  return bitmap;
}

const opened = (): BoardPictures => new BoardPictures({ load }, 's', decode);

beforeEach(() => {
  vi.useFakeTimers();
  load.mockReset().mockResolvedValue(new Blob());
  [running, most] = [0, 0];
  bitmaps.length = 0;
});
afterEach(() => vi.useRealTimers());

it('loads each file once, one after the other, and says when it can be painted', async () => {
  const pictures = opened();
  const changed = vi.fn();
  pictures.state.subscribe(changed);
  expect(pictures.get('f/1')).toBeUndefined();
  await pictures.loadAll(['f/1', 'f2', 'f3']);
  expect(load.mock.calls.map(([path]) => path)).toEqual([
    '/sessions/s/files/f%2F1?inline=true',
    '/sessions/s/files/f2?inline=true',
    '/sessions/s/files/f3?inline=true',
  ]);
  expect(pictures.get('f3')).toBe(bitmaps[2]);
  expect([most, changed.mock.calls.length]).toEqual([1, 3]);
});

it('does not ask again for a file that is refused or no image', async () => {
  load.mockRejectedValue(new Problem(404, 'file_not_found', 'no'));
  const pictures = opened();
  await pictures.loadAll(['f']);
  expect(pictures.get('f')).toBe('missing');
  expect(load).toHaveBeenCalledTimes(1);
});

it('asks again when the server was out of reach', async () => {
  load.mockRejectedValueOnce(new UnreachableError('gone'));
  const pictures = opened();
  pictures.state.subscribe(() => pictures.get('f'));
  await pictures.loadAll(['f']);
  expect(bitmaps).toEqual([]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(pictures.get('f')).toBe(bitmaps[0]);
});

it('frees its images, also those that arrive later', async () => {
  const pictures = opened();
  await pictures.loadAll(['f']);
  const later = pictures.loadAll(['g']);
  pictures.close();
  await later;
  expect(bitmaps.map(({ close }) => close.mock.calls.length)).toEqual([1]);
  pictures.get('h');
  await vi.advanceTimersByTimeAsync(0);
  expect(load).toHaveBeenLastCalledWith('/sessions/s/files/h?inline=true');
});
