/**
 * Items on a page of the whiteboard. A page is 1,600 by 900 units, whatever the size of the window. Items are plain values
 * in the Yjs array `items` of the page's document; a long stroke is several items, so that others see it grow. Only images
 * can be moved; they are Yjs maps.
 */
import { isFields, listOf, numberOf, textOf, type Fields } from '../../json';

export const PAGE = { width: 1600, height: 900 };
export const COLOURS = ['#1b2422', '#c0271d', '#0a5bc4', '#1a7a3c', '#b35c00', '#7a2fb5'] as const;
export const WIDTHS = [4, 8, 20] as const;
export const FORMS = ['pen', 'line', 'rect', 'ellipse', 'text'] as const;
/** Further images of a page are left out, as in the PDF (`pictures.py`): each is decoded in the memory of every viewer. */
export const MOST_IMAGES = 50;

export interface Item {
  kind: (typeof FORMS)[number] | 'image';
  colour: string;
  /** Width of the line, in units; the height of text grows with it. */
  width: number;
  /**
   * x and y of each point in turn: all points of a pen, two corners or ends of a shape, the upper start of a text, two
   * corners of an image.
   */
  points: readonly number[];
  /** Empty except for text. */
  text: string;
  /** Only of an image: its own id, and the file of the session that it shows. */
  image?: { id: string; file: string };
}

export interface Point {
  x: number;
  y: number;
}

const MOST_TEXT = 500;
// As in `classroom/limits.py`.
const MOST_ID = 128;

/** Read an item that another program drew; undefined if it is invalid. */
export function readItem(value: unknown): Item | undefined {
  if (!isFields(value)) return undefined;
  const points = listOf(value['points']).map((each) => numberOf(each) ?? NaN);
  if (points.length < 2 || points.length % 2 !== 0 || points.some(Number.isNaN)) return undefined;
  if (value['kind'] === 'image') return readImage(value, points);
  const kind = FORMS.find((each) => each === value['kind']);
  const colour = textOf(value['colour']);
  const width = numberOf(value['width']) ?? 0;
  if (kind === undefined || !/^#[0-9a-f]{6}$/u.test(colour) || width < 1 || width > 100) return undefined;
  return { kind, colour, width, points, text: textOf(value['text']).slice(0, MOST_TEXT) };
}

function readImage(value: Fields, points: readonly number[]): Item | undefined {
  const [id, file] = [textOf(value['id']), textOf(value['file'])];
  const [left = 0, top = 0, right = 0, bottom = 0] = points;
  if (id === '' || file === '' || file.length > MOST_ID) return undefined;
  if (points.length !== 4 || left >= right || top >= bottom) return undefined;
  return { kind: 'image', colour: '#000000', width: 1, points, text: '', image: { id, file } };
}

/** The points of an item. */
export function pointsOf({ points }: Pick<Item, 'points'>): Point[] {
  return Array.from({ length: points.length / 2 }, (_, index) => ({
    x: points[2 * index] ?? 0,
    y: points[2 * index + 1] ?? 0,
  }));
}

/** Height of a line of text. */
export const lineHeight = (width: number): number => 20 + width * 4;

/** Whether an eraser of this radius at a point touches an item. Images are not erased: one writes and erases on them. */
export function touches(item: Item, at: Point, radius: number): boolean {
  const points = pointsOf(item);
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return false;
  const reach = radius + item.width / 2;
  const near = (a: Point, b: Point): boolean => distance(at, a, b) <= reach;
  switch (item.kind) {
    case 'image':
      return false;
    case 'pen':
    case 'line':
      return points.some((point, index) => near(points[index - 1] ?? point, point));
    case 'rect': {
      const [b, d] = [
        { x: last.x, y: first.y },
        { x: first.x, y: last.y },
      ];
      return near(first, b) || near(b, last) || near(last, d) || near(d, first);
    }
    case 'ellipse': {
      const [rx, ry] = [Math.abs(last.x - first.x) / 2 || 1, Math.abs(last.y - first.y) / 2 || 1];
      const [dx, dy] = [at.x - (first.x + last.x) / 2, at.y - (first.y + last.y) / 2];
      const around = Math.hypot(dx / rx, dy / ry);
      return Math.abs(around - 1) * Math.min(rx, ry) <= reach;
    }
    case 'text': {
      const lines = item.text.split('\n');
      const size = lineHeight(item.width);
      // Letters of a sans-serif font are slightly more than half as wide as they are high.
      const wide = Math.max(...lines.map((line) => line.length)) * size * 0.55;
      return (
        at.x >= first.x - radius &&
        at.x <= first.x + wide + radius &&
        at.y >= first.y - radius &&
        at.y <= first.y + lines.length * size * 1.2 + radius
      );
    }
  }
}

/** The distance of a point from a line between two points. */
function distance(at: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((at.x - a.x) * dx + (at.y - a.y) * dy) / length;
  const part = Math.min(Math.max(along, 0), 1);
  return Math.hypot(at.x - a.x - part * dx, at.y - a.y - part * dy);
}
