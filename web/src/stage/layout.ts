/** Where tiles go: geometry as a function of numbers, all in CSS pixels. */

export interface Size {
  width: number;
  height: number;
}

/** All tiles equal in a grid of this width, or a strip of them beside (`side`) or below (`bottom`) a large picture. */
export type Layout =
  { kind: 'grid'; width: number; tile: Size } | { kind: 'side'; tile: Size } | { kind: 'bottom'; tile: Size };

/** Between tiles; the style sheet has the same number. */
export const GAP = 8;
/** What a scroll bar may take; the widest of the usual systems is 17. */
const SCROLL_BAR = 17;
const ASPECT = 16 / 9;
// Below this a face is not recognisable; rather scroll. Two such tiles still fit side by side on a 320-pixel phone.
const MIN_TILE_WIDTH = 132;

/** Lay out `count` equal tiles, with or without a large picture. */
export function arrange(count: number, hasStage: boolean, area: Size): Layout {
  if (!hasStage) return fitGrid(count, area);
  // The large picture is about 16:9. In a wider area the sides are free anyway, in a narrower one the bottom is.
  if (area.width > area.height * 1.3) {
    return { kind: 'side', tile: ofWidth(clamp(area.width * 0.18, MIN_TILE_WIDTH, 260)) };
  }
  return { kind: 'bottom', tile: ofWidth(clamp(area.height * 0.2, 75, 150) * ASPECT) };
}

/** The largest equal tiles that fit; where they would become too small, a grid that is higher than the area. */
function fitGrid(count: number, area: Size): Layout {
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

function cell(columns: number, rows: number, area: Size): Size {
  return {
    width: (area.width - GAP * (columns - 1)) / columns,
    height: (area.height - GAP * (rows - 1)) / rows,
  };
}

function ofCell({ width, height }: Size): Size {
  return ofWidth(Math.min(width, height * ASPECT));
}

// Rounded down: a fraction of a pixel too much would start a new row.
function ofWidth(width: number): Size {
  const whole = Math.max(0, Math.floor(width));
  return { width: whole, height: Math.floor(whole / ASPECT) };
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
