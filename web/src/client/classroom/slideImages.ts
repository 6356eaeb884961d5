/** Images of slides as object URLs. The neighbours of the shown page are loaded in advance, so that turning is quick. */
import type { Caller } from './call';
import { pathOf } from './sessions';

// Some pages around the shown one, even after turning back; a page is about 100 kB.
const KEPT = 12;
// A page of 100 kB takes 11 s at 75 kbit/s. A request that was lost with its connection must not block the page for longer.
const TIMEOUT_MS = 30_000;

export class SlideImages {
  private readonly pages = new Map<string, Promise<string>>();

  constructor(
    private readonly caller: Caller,
    private readonly session: string,
  ) {}

  /** The URL of a page's image. Throws the errors of the call; a failed image is requested again by the next call. */
  get(deck: string, page: number): Promise<string> {
    const path = `${pathOf(this.session)}/slides/${encodeURIComponent(deck)}/pages/${page}`;
    const found =
      this.pages.get(path) ?? this.caller.load(path, TIMEOUT_MS).then((blob) => URL.createObjectURL(blob));
    // The most recently used image is the last of the map.
    this.pages.delete(path);
    this.pages.set(path, found);
    found.catch(() => this.pages.delete(path));
    for (const [oldest, address] of this.pages) {
      if (this.pages.size <= KEPT) break;
      this.pages.delete(oldest);
      void address.then((each) => URL.revokeObjectURL(each)).catch(() => undefined);
    }
    return found;
  }

  /** Free all images. */
  close(): void {
    for (const address of this.pages.values()) {
      void address.then((each) => URL.revokeObjectURL(each)).catch(() => undefined);
    }
    this.pages.clear();
  }
}
