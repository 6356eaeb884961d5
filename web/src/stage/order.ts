/** Decides which tile is large and in which order the others follow. */

export interface Placed {
  isLocal: boolean;
  isScreen: boolean;
  identity: string;
  /** When its participant joined, in milliseconds since 1970; 0 if not known yet. */
  joinedAt: number;
  /** When its participant raised a hand, in milliseconds since 1970; 0 while no hand is raised. */
  handAt: number;
}

export interface Order<T> {
  /** The large tile; undefined when all tiles have the same size. */
  stage: T | undefined;
  others: T[];
}

/** What the user or the view asks to be large. */
export interface Wanted {
  /** The tile that the user pinned, as `tileKey` names it. */
  pinned?: string | undefined;
  /** Identity of the participant who is shown large while nobody shares a screen. */
  speaker?: string | undefined;
}

/** Names a tile: the identity of a camera's participant; a screen has a name of its own. */
export function tileKey({ identity, isScreen }: Pick<Placed, 'identity' | 'isScreen'>): string {
  return isScreen ? `screen_share/${identity}` : identity;
}

/**
 * The large tile is the pinned one; else the shared screen of the participant who joined first; else the speaker's. The
 * first of the others is the camera of the participant whose screen is large, so that students see both, then come raised
 * hands in their order, then the rest in the order of joining: faces do not jump when somebody speaks. The user's own tile
 * comes last.
 */
export function order<T>(tiles: readonly T[], placed: (tile: T) => Placed, wanted: Wanted = {}): Order<T> {
  const sorted = [...tiles].sort((a, b) => compare(placed(a), placed(b)));
  const stage =
    sorted.find((tile) => tileKey(placed(tile)) === wanted.pinned) ??
    sorted.find((tile) => placed(tile).isScreen) ??
    sorted.find((tile) => !placed(tile).isScreen && placed(tile).identity === wanted.speaker);
  const others = sorted.filter((tile) => tile !== stage);
  const presenter = stage !== undefined && placed(stage).isScreen ? placed(stage).identity : undefined;
  const isPresenter = (tile: T): boolean => placed(tile).identity === presenter && !placed(tile).isScreen;
  return { stage, others: [...others.filter(isPresenter), ...others.filter((tile) => !isPresenter(tile))] };
}

// Later than any hand. Infinity would give NaN as a difference.
const NO_HAND = Number.MAX_SAFE_INTEGER;

function compare(a: Placed, b: Placed): number {
  return (
    Number(a.isLocal) - Number(b.isLocal) ||
    (a.handAt || NO_HAND) - (b.handAt || NO_HAND) ||
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
