/** The clock that all tracks of a recording follow. Times are seconds; `now` is milliseconds from any fixed moment. */
export class Clock {
  private atS = 0;
  private since: number | undefined;
  private speed = 1;

  /** The time of the recording. */
  time(now: number): number {
    return this.since === undefined ? this.atS : this.atS + ((now - this.since) / 1000) * this.speed;
  }

  get running(): boolean {
    return this.since !== undefined;
  }

  get rate(): number {
    return this.speed;
  }

  run(now: number): void {
    this.since ??= now;
  }

  hold(now: number): void {
    this.atS = this.time(now);
    this.since = undefined;
  }

  jump(timeS: number, now: number): void {
    this.atS = timeS;
    if (this.since !== undefined) this.since = now;
  }

  setRate(rate: number, now: number): void {
    this.jump(this.time(now), now);
    this.speed = rate;
  }
}
