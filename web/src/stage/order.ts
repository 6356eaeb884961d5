/** Decides which tile is large and in which order the others follow. */

export interface Placed {
  isLocal: boolean;
  isScreen: boolean;
  identity: string;
  /** When its participant joined, in milliseconds since 1970; 0 if not known yet. */
  joinedAt: number;
}

export interface Order<T> {
  /** The large tile; undefined when all tiles have the same size. */
  stage: T | undefined;
  others: T[];
}

/**
 * The large tile is the shared screen of the participant who joined first; without a shared screen, it is the tile in
 * the spotlight, if any. The others follow in the order of joining, so that faces do not jump when somebody speaks. The
 * user's own tile comes last.
 */
export function order<T>(
  tiles: readonly T[],
  placed: (tile: T) => Placed,
  inSpotlight: (tile: T) => boolean = () => false,
): Order<T> {
  const sorted = [...tiles].sort((a, b) => compare(placed(a), placed(b)));
  const stage = sorted.find((tile) => placed(tile).isScreen) ?? sorted.find(inSpotlight);
  return { stage, others: sorted.filter((tile) => tile !== stage) };
}

function compare(a: Placed, b: Placed): number {
  return (
    Number(a.isLocal) - Number(b.isLocal) ||
    a.joinedAt - b.joinedAt ||
    compareText(a.identity, b.identity) ||
    Number(b.isScreen) - Number(a.isScreen)
  );
}

// Not `localeCompare`: the order must be the same in every browser, whatever its language.
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
