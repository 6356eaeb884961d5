import { lazy, Suspense, type ReactNode } from 'react';

import type { SessionState } from '../../client/classroom/live/state';
import { SlidesScene } from './SlidesScene';

// Yjs is a large part of a page, and many lessons need no whiteboard.
const BoardScene = lazy(async () => ({ default: (await import('./board/BoardScene')).BoardScene }));

/** The large content in place of a tile while everybody sees slides or the whiteboard; undefined for other scenes. */
export function sceneOf({ direction: { scene }, decks }: SessionState): ReactNode {
  if (scene?.kind === 'whiteboard') {
    return (
      <Suspense fallback={null}>
        <BoardScene />
      </Suspense>
    );
  }
  if (scene?.kind !== 'slides') return undefined;
  const deck = decks.find(({ id }) => id === scene.source);
  return deck === undefined ? undefined : <SlidesScene key={deck.id} deck={deck} />;
}
