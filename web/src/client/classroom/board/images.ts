/** Places of images on a page of the whiteboard: where a new one is put, moving, resizing. */
import { PAGE, pointsOf, type Item, type Point } from './items';

// An image stays large enough to be seen and taken.
const SMALLEST = 24;
// A new image has half of the page at most, so that there is room to write beside it.
const FIRST_SHARE = 0.5;

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The box of an image. */
export function boxOf(item: Pick<Item, 'points'>): Box {
  const [first = { x: 0, y: 0 }, last = first] = pointsOf(item);
  return { left: first.x, top: first.y, width: last.x - first.x, height: last.y - first.y };
}

/** The points of an image of this many pixels in the middle of the page. */
export function placed(width: number, height: number): number[] {
  const scale = Math.min(1, (PAGE.width * FIRST_SHARE) / width, (PAGE.height * FIRST_SHARE) / height);
  const [wide, high] = [Math.max(width * scale, SMALLEST), Math.max(height * scale, SMALLEST)];
  return pointsFrom({
    left: (PAGE.width - wide) / 2,
    top: (PAGE.height - high) / 2,
    width: wide,
    height: high,
  });
}

/** An image moved by a distance; a part of it stays on the page. */
export function moved(item: Item, dx: number, dy: number): Item {
  const { left, top, width, height } = boxOf(item);
  return placedAt(item, {
    left: between(left + dx, SMALLEST - width, PAGE.width - SMALLEST),
    top: between(top + dy, SMALLEST - height, PAGE.height - SMALLEST),
    width,
    height,
  });
}

/** An image whose lower right corner is pulled to a point; its sides keep their ratio. */
export function pulled(item: Item, to: Point): Item {
  const { left, top, width, height } = boxOf(item);
  return scaled(item, Math.max((to.x - left) / width, (to.y - top) / height));
}

/** An image that is larger or smaller by a factor; its upper left corner stays where it is. */
export function scaled(item: Item, factor: number): Item {
  const box = boxOf(item);
  const { width, height } = box;
  const smallest = SMALLEST / Math.min(width, height);
  const largest = Math.min((2 * PAGE.width) / width, (2 * PAGE.height) / height);
  const kept = between(factor, Math.min(smallest, 1), Math.max(largest, 1));
  return placedAt(item, { ...box, width: width * kept, height: height * kept });
}

/** The uppermost image at a point. */
export function imageAt(items: readonly Item[], { x, y }: Point): Item | undefined {
  return items.findLast((item) => {
    const { left, top, width, height } = boxOf(item);
    return item.kind === 'image' && x >= left && x <= left + width && y >= top && y <= top + height;
  });
}

/** Whether a point is at the corner by which an image is resized. */
export function isAtCorner(item: Item, { x, y }: Point, reach: number): boolean {
  const { left, top, width, height } = boxOf(item);
  return Math.hypot(x - left - width, y - top - height) <= reach;
}

function placedAt(item: Item, box: Box): Item {
  return { ...item, points: pointsFrom(box) };
}

function pointsFrom({ left, top, width, height }: Box): number[] {
  return [left, top, left + width, top + height].map(Math.round);
}

function between(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
