/** Timers that report audio levels to daily-js's observers. */

export class LevelObservers {
  private readonly timers = new Map<string, number>();

  /** Call `report` at each interval, in place of an earlier observer of the same name. */
  observe(name: string, intervalMs: number, report: () => void): void {
    this.stop(name);
    this.timers.set(name, window.setInterval(report, intervalMs));
  }

  stop(name: string): void {
    window.clearInterval(this.timers.get(name));
    this.timers.delete(name);
  }

  stopAll(): void {
    for (const name of [...this.timers.keys()]) this.stop(name);
  }
}
