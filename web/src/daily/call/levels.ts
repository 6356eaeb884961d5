/** Repeats the loudness of people to whoever observes it. */

export class LevelObservers {
  private readonly timers = new Map<string, number>();

  /** Tell again and again; an earlier observer of the same name ends. */
  observe(name: string, intervalMs: number, tell: () => void): void {
    this.stop(name);
    this.timers.set(name, window.setInterval(tell, intervalMs));
  }

  stop(name: string): void {
    window.clearInterval(this.timers.get(name));
    this.timers.delete(name);
  }

  stopAll(): void {
    for (const name of [...this.timers.keys()]) this.stop(name);
  }
}
