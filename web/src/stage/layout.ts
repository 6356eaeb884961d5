/** Computes the size and arrangement of tiles from numbers alone. All lengths are in CSS pixels. */

export interface Size {
  width: number;
  height: number;
}

/**
 * Equal tiles in a grid of this width, in a strip beside (`side`) or below (`bottom`) a large tile, or in a grid below a
 * large tile that has the full width and the height of its picture (`stack`).
 */
export type Layout =
  | { kind: 'grid' | 'stack'; width: number; tile: Size }
  | { kind: 'side'; tile: Size }
  | { kind: 'bottom'; tile: Size };

/** Space between tiles; the same number as `--gap` in `base.css`. */
export const GAP = 8;
/** Width reserved for a scroll bar; the widest of the common systems' is 17. */
const SCROLL_BAR = 17;
const ASPECT = 16 / 9;
// A face is not recognisable in a smaller tile, so the grid scrolls instead. Two tiles of this width fit side by side
// on a phone with 320 pixels.
const MIN_TILE_WIDTH = 132;
/** From this height per width on, a picture of full width and two rows of tiles fit: a phone held upright. */
const PORTRAIT = 1.2;

/** Lay out `count` equal tiles, with or without a large one, which has a bar of this height below its picture. */
export function arrange(count: number, hasStage: boolean, area: Size, bar = 0): Layout {
  if (!hasStage) return fitGrid(count, area);
  // A picture of full width leaves much of the height free, and faces are worth more there than dark bars.
  if (area.height > area.width * PORTRAIT) {
    const left = area.height - area.width / ASPECT - bar - GAP;
    return { ...fitGrid(count, { width: area.width, height: Math.max(0, left) }), kind: 'stack' };
  }
  // The large picture is about 16:9, so a wider area has free space at the side and a narrower one at the bottom.
  if (area.width > area.height * 1.3) {
    return { kind: 'side', tile: ofWidth(clamp(area.width * 0.18, MIN_TILE_WIDTH, 260)) };
  }
  return { kind: 'bottom', tile: ofWidth(clamp(area.height * 0.2, 75, 150) * ASPECT) };
}

/** The largest equal tiles that fit; if they were too small, a grid that is higher than the area and scrolls. */
function fitGrid(count: number, area: Size): Extract<Layout, { width: number }> {
  let columns = 1;
  let tile = ofCell(cell(1, count, area));
  for (let tried = 2; tried <= count; tried += 1) {
    const candidate = ofCell(cell(tried, Math.ceil(count / tried), area));
    if (candidate.width > tile.width) [columns, tile] = [tried, candidate];
  }
  if (tile.width < MIN_TILE_WIDTH) {
    const width = area.width - SCROLL_BAR;
    columns = clamp(Math.floor((width + GAP) / (MIN_TILE_WIDTH + GAP)), 1, count);
    tile = ofWidth(cell(columns, 1, { ...area, width }).width);
  }
  return { kind: 'grid', width: columns * tile.width + (columns - 1) * GAP, tile };
}

/** One direction in which tiles scroll, in pixels: what is visible, what there is, and how far it is scrolled. */
export interface Scroll {
  visible: number;
  all: number;
  offset: number;
}

/** How many tiles are beyond the end of what is visible; `step` is the size of a row with its gap. */
export function tilesBeyond({ visible, all, offset }: Scroll, step: number, perRow: number): number {
  if (step <= GAP) return 0;
  // The last row has no gap after it, and a row that is half visible can be seen.
  return Math.max(0, Math.round((all - visible - Math.abs(offset)) / step)) * perRow;
}

/** Tiles on one page of a tutor's grid. */
export const PER_PAGE = 9;

/**
 * A grid of 4, 2 or 1 columns by the width of the area: faces keep their places while people come and go. On a phone held
 * sideways, two columns would leave room for one row.
 */
export function arrangeColumns(count: number, area: Size): Layout {
  const isLow = area.width > area.height * 2 && area.width >= 4 * (MIN_TILE_WIDTH + GAP);
  const most = area.width >= 900 || isLow ? 4 : area.width >= 400 ? 2 : 1;
  const columns = clamp(count, 1, most);
  let tile = ofCell(cell(columns, Math.ceil(Math.max(count, 1) / columns), area));
  if (tile.width < MIN_TILE_WIDTH) {
    tile = ofWidth(cell(columns, 1, { ...area, width: area.width - SCROLL_BAR }).width);
  }
  return { kind: 'grid', width: columns * tile.width + (columns - 1) * GAP, tile };
}

function cell(columns: number, rows: number, area: Size): Size {
  return {
    width: (area.width - GAP * (columns - 1)) / columns,
    height: (area.height - GAP * (rows - 1)) / rows,
  };
}

function ofCell({ width, height }: Size): Size {
  return ofWidth(Math.min(width, height * ASPECT));
}

// Rounded down, because a tile that is a fraction of a pixel too wide would start a new row.
function ofWidth(width: number): Size {
  const whole = Math.max(0, Math.floor(width));
  return { width: whole, height: Math.floor(whole / ASPECT) };
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
