/** Turning the pages of slides for everybody: one request at a time, and only the last page that was asked for counts. */
import { Store, type Readable } from '../../store';

export interface Turning {
  /** The page that this person asked for; undefined once the session shows it, or another person's later choice. */
  wanted: number | undefined;
}

export class PageTurner {
  private readonly store = new Store<Turning>({ wanted: undefined });
  readonly state: Readable<Turning> = this.store;
  /** The page of the request that is out. */
  private sent: number | undefined;
  /** The event of that request has arrived before its response. */
  private confirmed = false;

  /** `send` asks the server for a page and returns whether it agreed. */
  constructor(private readonly send: (page: number) => Promise<boolean>) {}

  turn(page: number): void {
    this.store.set({ wanted: page });
    if (this.sent === undefined) void this.flush();
  }

  /** An event says that everybody sees a page now. While a request is out, events of earlier requests may arrive. */
  turned(page: number): void {
    if (this.sent === undefined) this.store.set({ wanted: undefined });
    else if (page === this.sent) this.confirmed = true;
  }

  /** The state was loaded again: it may contain the turn, which then has no event. */
  replaced(): void {
    if (this.sent === undefined) this.store.set({ wanted: undefined });
    else this.confirmed = true;
  }

  private async flush(): Promise<void> {
    let agreed = true;
    for (;;) {
      const { wanted } = this.store.snapshot();
      if (wanted === undefined || wanted === this.sent) break;
      this.sent = wanted;
      this.confirmed = false;
      agreed = await this.send(wanted);
    }
    this.sent = undefined;
    if (!agreed || this.confirmed) this.store.set({ wanted: undefined });
  }
}
