/** Combines joins and leaves within a moment into one message, because a class arrives at once. */
import { t } from '../../client/text/catalogue';

export interface Move {
  kind: 'joined' | 'left';
  identity: string;
  name: string;
}

// With more names than this, only their number is shown.
const NAMED = 2;

/** The messages for moves within a moment. A person who left and returned within it is left out. */
export function moveWords(moves: readonly Move[]): string[] {
  const latest = new Map<string, Move>();
  for (const move of moves) {
    if (latest.has(move.identity) && latest.get(move.identity)?.kind !== move.kind)
      latest.delete(move.identity);
    else latest.set(move.identity, move);
  }
  return (['joined', 'left'] as const).flatMap((kind) => {
    const names = [...latest.values()].filter((move) => move.kind === kind).map(({ name }) => name);
    if (names.length > NAMED) return [t(`event.${kind}Many`, { count: names.length })];
    return names.map((name) => t(`event.${kind}`, { name }));
  });
}

// Long enough to hide a reload, short enough for the message to be current.
const GATHER_MS = 1200;

/** Collects moves and announces them together. */
export class Gathered {
  private moves: Move[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly say: (words: string) => void) {}

  note(move: Move): void {
    this.moves.push(move);
    this.timer ??= setTimeout(() => {
      const words = moveWords(this.moves);
      this.close();
      for (const text of words) this.say(text);
    }, GATHER_MS);
  }

  /** Discard moves that were not announced yet. */
  close(): void {
    clearTimeout(this.timer);
    [this.moves, this.timer] = [[], undefined];
  }
}
