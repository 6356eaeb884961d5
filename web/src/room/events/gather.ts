/** Joins and leaves within a moment become one message, because a class arrives at once. */
import { t } from '../../client/text/catalogue';

export interface Move {
  kind: 'joined' | 'left';
  identity: string;
  name: string;
}

// More names than this become a number.
const NAMED = 2;

/** The messages for what happened within a moment. Who left and came back within it did not go anywhere. */
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

// Long enough for a reload to be no news, short enough to be news.
const GATHER_MS = 1200;

/** Collects moves and tells them together. */
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

  /** Forget what was not told yet. */
  close(): void {
    clearTimeout(this.timer);
    [this.moves, this.timer] = [[], undefined];
  }
}
