/** What a page knows about the people of a room that LiveKit's attributes do not say. */
import { createContext, type ReactNode } from 'react';

import { handRaisedAt } from './hands';

interface Person {
  identity: string;
  attributes: Readonly<Record<string, string>>;
}

export interface StageRules {
  /** When somebody raised a hand, in milliseconds since 1970; 0 while it is down. */
  handAt: (person: Person) => number;
  /** Whether somebody's screen has a tile. */
  showsScreen: (identity: string) => boolean;
  /** What is large in place of a tile, such as slides; undefined for none. */
  scene?: ReactNode;
  /** What the tile of a person's camera says beside the name, such as a time; undefined for nothing. */
  detail?: (identity: string) => ReactNode;
  /** Tiles of equal size come in pages of nine, in 4, 2 or 1 columns. */
  paged?: boolean;
}

/** The rules of rooms without a session. */
export const StageContext = createContext<StageRules>({
  handAt: ({ attributes }) => handRaisedAt(attributes),
  showsScreen: () => true,
});
