import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Caller, Problem } from '../call';
import type { SessionEvent } from '../live/event';
import { UnreachableError } from '../../server/server';
import { fromBase64, toBase64 } from './base64';
import { MOST_IMAGES, type Item } from './items';
import { BoardPage, type BoardSession } from './page';

/** The server's part: it keeps updates and passes each on to all pages, the author's included. */
class Server {
  readonly updates: string[] = [];
  readonly listeners = new Set<(event: SessionEvent) => void>();
  readonly replaced = new Set<() => void>();
  failure: Error | undefined;

  session(): BoardSession {
    const body = (): Response => Response.json({ page: 'p', updates: this.updates });
    return {
      id: 's',
      caller: new Caller('t', () => Promise.resolve(body())),
      onEvent: (listener) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
      onReplaced: (listener) => {
        this.replaced.add(listener);
        return () => this.replaced.delete(listener);
      },
      command: (_path, body) => {
        if (this.failure !== undefined) return Promise.reject(this.failure);
        const { update } = body as { update: string };
        this.updates.push(update);
        const fields = { type: 'whiteboard.drawn', page: 'p', update };
        for (const listener of this.listeners) {
          listener({ type: 'whiteboard.drawn', at: 0, by: '', fields });
        }
        return Promise.resolve({});
      },
    };
  }
}

const stroke = (...points: number[]): Item => ({
  kind: 'pen',
  colour: '#1b2422',
  width: 4,
  points,
  text: '',
});
const refused = vi.fn();

async function open(server: Server): Promise<BoardPage> {
  const page = new BoardPage(server.session(), 'p', refused);
  await page.load();
  return page;
}

function drawn(page: BoardPage): number[][] {
  return page.state.snapshot().items.map(({ points }) => [...points]);
}

beforeEach(() => {
  vi.useFakeTimers();
  refused.mockReset();
});
afterEach(() => vi.useRealTimers());

it('shows to others what is drawn, and to those who come later', async () => {
  const server = new Server();
  const [ada, ben] = [await open(server), await open(server)];
  ada.add(stroke(1, 1, 2, 2));
  await vi.runAllTimersAsync();
  ben.add(stroke(5, 5));
  await vi.runAllTimersAsync();
  expect(drawn(ben)).toEqual([
    [1, 1, 2, 2],
    [5, 5],
  ]);
  expect(drawn(await open(server))).toEqual(drawn(ada));
  expect(ada.state.snapshot().unsaved).toBe(false);
});

it('undoes a stroke of several pieces as one, and only its own', async () => {
  const server = new Server();
  const [ada, ben] = [await open(server), await open(server)];
  ben.add(stroke(9, 9));
  ada.begin();
  ada.add(stroke(1, 1));
  ada.add(stroke(2, 2));
  ada.begin();
  await vi.runAllTimersAsync();
  ada.undo();
  await vi.runAllTimersAsync();
  expect(drawn(ben)).toEqual([[9, 9]]);
  expect(ada.state.snapshot()).toMatchObject({ canUndo: false, canRedo: true });
  ada.redo();
  await vi.runAllTimersAsync();
  expect(drawn(ben)).toHaveLength(3);
});

const PLACE = [0, 0, 200, 100];

function images(page: BoardPage) {
  return page.state.snapshot().items.flatMap(({ image, points }) => (image ? [[image.file, ...points]] : []));
}

it('moves an image for everybody and undoes it, and what was drawn on it stays above', async () => {
  const server = new Server();
  const [ada, ben] = [await open(server), await open(server)];
  const id = ada.addImage('f', PLACE);
  ada.begin();
  ada.add(stroke(50, 50));
  ada.begin();
  const before = ada.state.snapshot().items;
  ada.placeImage(id, [10, 10, 410, 210]);
  ada.begin();
  await vi.runAllTimersAsync();
  expect(images(ben)).toEqual([['f', 10, 10, 410, 210]]);
  expect(ben.state.snapshot().items.map(({ kind }) => kind)).toEqual(['image', 'pen']);
  // Unchanged items stay the same objects, so that they are not painted again.
  expect(ada.state.snapshot().items[1]).toBe(before[1]);
  expect(ada.state.snapshot().items[0]).not.toBe(before[0]);
  ada.undo();
  await vi.runAllTimersAsync();
  expect(images(ben)).toEqual([['f', ...PLACE]]);
  ada.undo();
  ada.undo();
  await vi.runAllTimersAsync();
  expect(ben.state.snapshot().items).toEqual([]);
});

it('ends with one image when two people move it at once, or one of them removes it', async () => {
  const server = new Server();
  const [ada, ben] = [await open(server), await open(server)];
  const id = ada.addImage('f', PLACE);
  await vi.runAllTimersAsync();
  ada.placeImage(id, [1, 1, 201, 101]);
  ben.placeImage(id, [2, 2, 202, 102]);
  await vi.runAllTimersAsync();
  expect(images(ada)).toHaveLength(1);
  expect(images(ada)).toEqual(images(ben));
  ada.placeImage(id, [3, 3, 203, 103]);
  ben.removeImage(id);
  await vi.runAllTimersAsync();
  expect([images(ada), images(ben)]).toEqual([[], []]);
  ada.placeImage(id, PLACE);
  ada.removeImage(id);
  expect(images(ada)).toEqual([]);
});

it('erases on images, not images, and leaves out those beyond the limit', async () => {
  const ada = await open(new Server());
  ada.addImage('f', PLACE);
  ada.add(stroke(100, 0));
  ada.erase({ x: 100, y: 0 }, 5);
  expect(images(ada)).toEqual([['f', ...PLACE]]);
  for (let index = 0; index < MOST_IMAGES; index += 1) ada.addImage(`f${index}`, PLACE);
  expect(images(ada)).toHaveLength(MOST_IMAGES);
  ada.clear();
  expect(images(ada)).toEqual([]);
});

it('erases what is touched, and clears in one step', async () => {
  const server = new Server();
  const ada = await open(server);
  ada.add(stroke(100, 100));
  ada.add(stroke(500, 500));
  ada.erase({ x: 102, y: 100 }, 5);
  expect(drawn(ada)).toEqual([[500, 500]]);
  ada.clear();
  expect(drawn(ada)).toEqual([]);
  ada.undo();
  expect(drawn(ada)).toEqual([[500, 500]]);
});

it('keeps what is drawn while the server is unreachable, and sends it later as one update', async () => {
  const server = new Server();
  const [ada, ben] = [await open(server), await open(server)];
  server.failure = new UnreachableError('gone');
  ada.add(stroke(1, 1));
  ada.add(stroke(2, 2));
  await vi.advanceTimersByTimeAsync(5000);
  expect(ada.state.snapshot().unsaved).toBe(true);
  server.failure = undefined;
  await vi.advanceTimersByTimeAsync(5000);
  expect(drawn(ben)).toEqual([
    [1, 1],
    [2, 2],
  ]);
  expect(ada.state.snapshot().unsaved).toBe(false);
  expect(refused).not.toHaveBeenCalled();
});

it('says when the server refuses', async () => {
  const server = new Server();
  const ada = await open(server);
  server.failure = new Problem(403, 'not_allowed', 'no');
  ada.add(stroke(1, 1));
  await vi.runAllTimersAsync();
  expect(refused).toHaveBeenCalledWith(server.failure);
});

it('loads again what it missed when the state was replaced', async () => {
  const server = new Server();
  const [ada, ben] = [await open(server), await open(server)];
  server.listeners.clear();
  ada.add(stroke(1, 1));
  await vi.runAllTimersAsync();
  expect(drawn(ben)).toEqual([]);
  for (const listener of server.replaced) listener();
  await vi.runAllTimersAsync();
  expect(drawn(ben)).toEqual([[1, 1]]);
});

it('ignores updates that are none', async () => {
  const server = new Server();
  server.updates.push('AAAA', '%');
  const ada = await open(server);
  expect(ada.state.snapshot()).toMatchObject({ loaded: true, items: [] });
});

it('writes bytes as base64 and reads them', () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, index) => index % 256);
  expect(fromBase64(toBase64(bytes))).toEqual(bytes);
});
