import { expect, it } from 'vitest';
import { Doc } from 'yjs';

import { toBase64 } from '../../client/classroom/board/base64';
import type { BoardEvent } from '../../client/recordings/board';
import { ReplayedBoard } from './replayedBoard';

/** Somebody who draws on a page: each change is an update. */
class Drawer {
  readonly doc = new Doc();
  private updates: Uint8Array[] = [];

  constructor() {
    this.doc.on('update', (update: Uint8Array) => this.updates.push(update));
  }

  draw(...points: number[]): string {
    this.doc.getArray('items').push([{ kind: 'pen', colour: '#1b2422', width: 4, points }]);
    return this.taken();
  }

  erase(index: number): string {
    this.doc.getArray('items').delete(index);
    return this.taken();
  }

  private taken(): string {
    const [update] = this.updates.splice(0);
    return toBase64(update ?? new Uint8Array());
  }
}

const event = (atS: number, kind: string, page: string, update = ''): BoardEvent => ({
  atS,
  kind,
  page,
  update,
});
const shown = (board: ReplayedBoard, timeS: number): string => {
  const { page, items } = board.at(timeS);
  return `${page}: ${items.map(({ points }) => points[0]).join(' ')}`;
};

it('shows strokes at their time, also after jumps, and not those that were erased', () => {
  const drawer = new Drawer();
  const board = new ReplayedBoard();
  board.add([
    event(-10, 'page_added', 'a'),
    event(-5, 'drawn', 'a', drawer.draw(1, 1)),
    event(10, 'drawn', 'a', drawer.draw(2, 2)),
    event(20, 'drawn', 'a', drawer.draw(3, 3)),
    event(30, 'drawn', 'a', drawer.erase(0)),
  ]);
  expect(shown(board, 0)).toBe('a: 1');
  expect(shown(board, 10)).toBe('a: 1 2');
  expect(shown(board, 40)).toBe('a: 2 3');
  expect(shown(board, 15)).toBe('a: 1 2');
  expect(shown(board, 25)).toBe('a: 1 2 3');
});

it('returns the same value while nothing changes', () => {
  const drawer = new Drawer();
  const board = new ReplayedBoard();
  board.add([event(0, 'page_added', 'a'), event(1, 'drawn', 'a', drawer.draw(1, 1))]);
  const before = board.at(2);
  expect(board.at(3)).toBe(before);
  board.add([event(4, 'drawn', 'a', drawer.draw(2, 2))]);
  expect(board.at(3)).toBe(before);
  expect(shown(board, 4)).toBe('a: 1 2');
});

it('turns pages as they were turned', () => {
  const [a, b] = [new Drawer(), new Drawer()];
  const board = new ReplayedBoard();
  board.add([
    event(0, 'page_added', 'a'),
    event(1, 'page_added', 'b'),
    event(2, 'drawn', 'a', a.draw(1, 1)),
    event(3, 'drawn', 'b', b.draw(2, 2)),
    event(10, 'turned', 'b'),
    event(20, 'turned', 'a'),
    event(30, 'page_removed', 'a'),
    event(40, 'page_added', 'a'),
    event(41, 'turned', 'a'),
    event(42, 'drawn', 'a', new Drawer().draw(4, 4)),
  ]);
  const times = [-1, 5, 10, 25, 35, 41, 42, 11, 5];
  const expected = [': ', 'a: 1', 'b: 2', 'a: 1', 'b: 2', 'a: ', 'a: 4', 'b: 2', 'a: 1'];
  expect(times.map((timeS) => shown(board, timeS))).toEqual(expected);
});

it('leaves out what is invalid', () => {
  const board = new ReplayedBoard();
  const drawer = new Drawer();
  board.add([
    event(0, 'page_added', 'a'),
    event(1, 'drawn', 'a', '%%%'),
    event(2, 'drawn', 'a', toBase64(new Uint8Array([255, 255, 255]))),
    event(3, 'drawn', 'a', drawer.draw(1, 1)),
  ]);
  expect(shown(board, 5)).toBe('a: 1');
});
