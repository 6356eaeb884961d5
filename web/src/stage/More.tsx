import { useEffect, useState, type RefObject } from 'react';

import { t } from '../client/text/catalogue';
import { Button } from '../ui/controls/Button';
import { GAP, tilesBeyond, type Layout } from './layout';

interface MoreProps {
  /** The element that scrolls. */
  list: RefObject<HTMLElement | null>;
  layout: Layout;
  count: number;
}

/** Says how many tiles are out of view, and scrolls to them: many systems show no scroll bar. */
export function More({ list, layout, count }: MoreProps) {
  const [beyond, setBeyond] = useState(0);
  const across = layout.kind === 'bottom';
  useEffect(() => {
    const element = list.current;
    if (element === null) return undefined;
    const measure = (): void => {
      const scroll = across
        ? { visible: element.clientWidth, all: element.scrollWidth, offset: element.scrollLeft }
        : { visible: element.clientHeight, all: element.scrollHeight, offset: element.scrollTop };
      const step = GAP + (across ? layout.tile.width : layout.tile.height);
      const perRow = 'width' in layout ? Math.round((layout.width + GAP) / (layout.tile.width + GAP)) : 1;
      setBeyond(Math.min(count, tilesBeyond(scroll, step, perRow)));
    };
    measure();
    element.addEventListener('scroll', measure, { passive: true });
    return () => element.removeEventListener('scroll', measure);
  }, [list, layout, count, across]);
  if (beyond === 0) return null;
  const show = (): void => {
    const element = list.current;
    if (element === null) return;
    const [x, y] = across ? [element.clientWidth, 0] : [0, element.clientHeight];
    // From right to left, later tiles are on the left.
    element.scrollBy(getComputedStyle(element).direction === 'rtl' ? -x : x, y);
  };
  return (
    <div className="more-tiles">
      <Button testId="more-tiles" label={t('stage.more', { count: beyond })} onPress={show}>
        {`+${beyond}`}
      </Button>
    </div>
  );
}
