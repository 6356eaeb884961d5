/** The embedding page as the components see it; the bridge implements it. */
export interface Embedder {
  /** The user pressed a button that the application added. */
  pressed: (id: string) => void;
  /** Only the embedding page can make its frame fill the screen. */
  requestFullscreen: (on: boolean) => void;
}
