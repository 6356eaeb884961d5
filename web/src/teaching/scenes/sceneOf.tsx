import { lazy, Suspense, type ReactNode } from 'react';

import type { SessionState } from '../../client/classroom/live/state';
import { SlidesScene } from './SlidesScene';

// Yjs is no small part of a page, and many lessons need no whiteboard.
const BoardScene = lazy(async () => ({ default: (await import('./board/BoardScene')).BoardScene }));

/** What is large in place of a tile while slides or the whiteboard are what all see; undefined for other scenes. */
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
