import { useState } from 'react';

import { imageAt, isAtCorner, moved, pulled, scaled } from '../../../client/classroom/board/images';
import type { Item, Point } from '../../../client/classroom/board/items';
import type { BoardPage } from '../../../client/classroom/board/page';
import type { Chosen } from './tools';

// A step of an arrow key, in units of the page.
const STEP = 10;
const FACTOR = 1.1;
const MOVES: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};
const FACTORS: Readonly<Record<string, number>> = { '+': FACTOR, '-': 1 / FACTOR };

interface Held {
  item: Item;
  from: Point;
  /** The lower right corner is held, so that the image is resized. */
  corner: boolean;
}

/** Moving, resizing and removing images, by pointer and by keys. */
export function useImages(
  page: BoardPage,
  items: readonly Item[],
  chosen: Chosen | undefined,
  onChosen: (chosen: Chosen) => void,
) {
  const [held, setHeld] = useState<Held>();
  const [draft, setDraft] = useState<Item>();
  const active = chosen?.tool === 'move' ? chosen : undefined;
  const selected = items.find(({ image }) => image !== undefined && image.id === active?.image);
  const choose = (item: Item | undefined): void => {
    if (active !== undefined) onChosen({ ...active, image: item?.image?.id ?? '' });
  };
  const place = (item: Item): void => {
    page.begin();
    if (item.image !== undefined) page.placeImage(item.image.id, item.points);
    page.begin();
  };
  return {
    selected,
    /** The image while it is moved. */
    draft,
    /** Take the image at a point; returns whether there is one. */
    take(from: Point, reach: number): boolean {
      const corner = selected !== undefined && isAtCorner(selected, from, reach);
      const item = corner ? selected : imageAt(items, from);
      choose(item);
      setHeld(item && { item, from, corner });
      return item !== undefined;
    },
    drag(to: Point): void {
      if (held === undefined) return;
      const { item, from, corner } = held;
      setDraft(corner ? pulled(item, to) : moved(item, to.x - from.x, to.y - from.y));
    },
    release(): void {
      if (draft !== undefined) place(draft);
      setHeld(undefined);
      setDraft(undefined);
    },
    /** Returns whether the key was used. */
    press(key: string): boolean {
      if (active === undefined) return false;
      if (key === 'Enter') {
        const images = items.filter(({ kind }) => kind === 'image');
        choose(images[selected === undefined ? 0 : (images.indexOf(selected) + 1) % images.length]);
        return true;
      }
      if (selected === undefined) return false;
      const step = MOVES[key];
      const factor = FACTORS[key];
      if (step !== undefined) place(moved(selected, ...step));
      else if (factor !== undefined) place(scaled(selected, factor));
      else if (key === 'Delete' || key === 'Backspace') {
        page.begin();
        page.removeImage(selected.image?.id ?? '');
        page.begin();
      } else return false;
      return true;
    },
  };
}
