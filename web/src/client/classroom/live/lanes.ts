/**
 * Commands in the order in which a person gave them. A browser may send concurrent requests over several connections, where
 * they overtake each other: “page 3”, “page 2”, “page 3” would leave everybody on page 2.
 */
export class Lanes {
  private readonly last = new Map<string, Promise<unknown>>();

  /** Run a call after the earlier calls of the same lane have ended, whether or not they succeeded. */
  run<T>(lane: string, call: () => Promise<T>): Promise<T> {
    const before = this.last.get(lane);
    const result = before === undefined ? call() : before.then(call, call);
    this.last.set(lane, result);
    const leave = (): void => {
      if (this.last.get(lane) === result) this.last.delete(lane);
    };
    result.then(leave, leave);
    return result;
  }
}

/** The lane of a command: commands of one feature affect each other, those of different features must not wait. */
export function laneOf(path: string): string {
  return path.split('/')[1] ?? '';
}
