import { describe, expect, it } from 'vitest';

import { arrange, arrangeColumns, GAP, tilesBeyond, type Layout, type Size } from './layout';

const DESKTOP = { width: 1264, height: 680 };
const PHONE = { width: 374, height: 690 };
const PHONE_ON_ITS_SIDE = { width: 828, height: 276 };

function columnsOf(layout: Layout): number {
  if (layout.kind !== 'grid') throw new Error('no grid');
  return Math.round((layout.width + GAP) / (layout.tile.width + GAP));
}

function heightOf(layout: Layout, count: number): number {
  const rows = Math.ceil(count / columnsOf(layout));
  return rows * layout.tile.height + (rows - 1) * GAP;
}

describe('a grid', () => {
  it.each<[string, number, Size, number]>([
    ['one tile fills a desktop', 1, DESKTOP, 1],
    ['two stand side by side', 2, DESKTOP, 2],
    ['three take two rows', 3, DESKTOP, 2],
    ['four', 4, DESKTOP, 2],
    ['seven', 7, DESKTOP, 3],
    ['sixteen', 16, DESKTOP, 4],
    ['two on a phone stand one above the other', 2, PHONE, 1],
    ['eight on a phone', 8, PHONE, 2],
    ['two on a phone on its side', 2, PHONE_ON_ITS_SIDE, 2],
    ['sixty on a desktop scroll', 60, DESKTOP, 8],
    ['sixty on a phone scroll', 60, PHONE, 2],
    ['a narrow pane keeps one column', 3, { width: 100, height: 700 }, 1],
  ])('%s', (_, count, area, columns) => {
    expect(columnsOf(arrange(count, false, area))).toBe(columns);
  });

  // A sweep instead of chosen points: these properties hold for all sizes.
  const areas = [200, 320, 374, 620, 828, 1264, 1900].flatMap((width) =>
    [150, 276, 680, 1000].map((height) => ({ width, height })),
  );
  it.each(areas)('of 1 to 100 tiles fits in $width x $height', (area) => {
    for (let count = 1; count <= 100; count += 1) {
      const layout = arrange(count, false, area);
      if (layout.kind !== 'grid') throw new Error('no grid');
      expect(layout.width).toBeLessThanOrEqual(area.width);
      expect(columnsOf(layout)).toBeLessThanOrEqual(count);
      expect(layout.tile.width / layout.tile.height).toBeCloseTo(16 / 9, 1);
      // Either all rows fit, or the grid scrolls and no tile is below the minimum.
      if (heightOf(layout, count) > area.height) expect(layout.tile.width).toBeGreaterThanOrEqual(132);
    }
  });
  it('never shrinks its tiles when a participant leaves', () => {
    for (let count = 2; count <= 30; count += 1) {
      const more = arrange(count, false, DESKTOP).tile.width;
      expect(arrange(count - 1, false, DESKTOP).tile.width).toBeGreaterThanOrEqual(more);
    }
  });
});

describe('a large tile', () => {
  it.each<[string, Size, Layout['kind']]>([
    ['a desktop', DESKTOP, 'side'],
    ['a phone', PHONE, 'stack'],
    ['a tablet held upright', { width: 752, height: 930 }, 'stack'],
    ['a phone on its side', PHONE_ON_ITS_SIDE, 'side'],
    ['a square', { width: 700, height: 700 }, 'bottom'],
  ])('in %s', (_, area, kind) => {
    expect(arrange(5, true, area).kind).toBe(kind);
  });
  it('has the full width of a phone, and the others fit into the rest', () => {
    for (const count of [1, 2, 3, 4]) {
      const layout = arrange(count, true, PHONE, 48);
      if (layout.kind !== 'stack') throw new Error('no stack');
      const columns = Math.round((layout.width + GAP) / (layout.tile.width + GAP));
      const rows = Math.ceil(count / columns);
      const large = (PHONE.width * 9) / 16 + 48;
      expect(large + rows * (layout.tile.height + GAP)).toBeLessThanOrEqual(PHONE.height);
      expect(layout.tile.width).toBeGreaterThanOrEqual(132);
    }
  });
  it.each([DESKTOP, PHONE_ON_ITS_SIDE])('has most of $width x $height', (area) => {
    const { kind, tile } = arrange(5, true, area);
    const left = kind === 'side' ? area.width - tile.width : area.height - tile.height;
    expect(left).toBeGreaterThan((kind === 'side' ? area.width : area.height) * 0.7);
  });
});

describe('tiles beyond the end', () => {
  it.each<[string, Parameters<typeof tilesBeyond>, number]>([
    ['none where all are visible', [{ visible: 500, all: 500, offset: 0 }, 100, 1], 0],
    ['three rows of one', [{ visible: 500, all: 800, offset: 0 }, 100, 1], 3],
    ['three rows of two', [{ visible: 500, all: 800, offset: 0 }, 100, 2], 6],
    ['less after scrolling', [{ visible: 500, all: 800, offset: 200 }, 100, 1], 1],
    ['none at the end', [{ visible: 500, all: 800, offset: 300 }, 100, 1], 0],
    ['from right to left, offsets are negative', [{ visible: 500, all: 800, offset: -200 }, 100, 1], 1],
    ['none of tiles that have no size yet', [{ visible: 500, all: 800, offset: 0 }, GAP, 1], 0],
  ])('%s', (_, given, count) => {
    expect(tilesBeyond(...given)).toBe(count);
  });
});

describe('an empty area', () => {
  it('gives tiles of size 0, not of a negative size', () => {
    const layout = arrange(3, false, { width: 0, height: 0 });
    expect(layout.tile.width).toBe(0);
    expect(layout.tile.height).toBe(0);
  });
});

describe("a tutor's grid", () => {
  it.each<[string, number, Size, number]>([
    ['nine on a desktop', 9, DESKTOP, 4],
    ['two on a desktop', 2, DESKTOP, 2],
    ['nine between two columns', 9, { width: 600, height: 680 }, 2],
    ['nine on a phone', 9, PHONE, 1],
    ['nine on a phone held sideways', 9, { width: 736, height: 220 }, 4],
    ['nobody', 0, DESKTOP, 1],
  ])('%s', (_, count, area, columns) => {
    const layout = arrangeColumns(count, area);
    expect(columnsOf(layout)).toBe(columns);
    expect(layout.tile.width).toBeGreaterThan(130);
  });

  it('fits nine on a desktop without scrolling', () => {
    expect(heightOf(arrangeColumns(9, DESKTOP), 9)).toBeLessThanOrEqual(DESKTOP.height);
  });
});
