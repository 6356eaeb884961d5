import type { ReactNode } from 'react';

import type { SessionState } from '../../client/classroom/live/state';
import { SlidesScene } from './SlidesScene';

/** What is large in place of a tile while slides or the whiteboard are what all see; undefined for other scenes. */
export function sceneOf({ direction: { scene }, decks }: SessionState): ReactNode {
  if (scene?.kind !== 'slides') return undefined;
  const deck = decks.find(({ id }) => id === scene.source);
  return deck === undefined ? undefined : <SlidesScene key={deck.id} deck={deck} />;
}
