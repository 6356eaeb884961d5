/** Which tile is large, and in what order the others stand; over the fields that matter only. */

export interface Placed {
  isLocal: boolean;
  isScreen: boolean;
  identity: string;
  /** When its participant joined, in milliseconds since 1970; 0 when not known yet. */
  joinedAt: number;
}

export interface Order<T> {
  /** The large picture; undefined: all tiles are equal. */
  stage: T | undefined;
  others: T[];
}

/**
 * The screen shared by whoever joined first is large; without one, the tile in the spotlight if there is one. The others stand in the order in which their people joined, so
 * that faces do not jump when somebody speaks; oneself comes last.
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

// Not by language: the order must be the same in everybody's browser.
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
