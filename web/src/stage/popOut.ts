/** The large picture in a small window above all others (W3C Picture-in-Picture). */

/** Firefox has its own button on every video, and no API for it. */
export const CAN_POP_OUT = 'pictureInPictureEnabled' in document && document.pictureInPictureEnabled;

/** Move the large picture into the small window, or back. A browser that refuses leaves it where it is. */
export function popOut(): void {
  if (document.pictureInPictureElement !== null) {
    void document.exitPictureInPicture().catch(() => undefined);
    return;
  }
  const video = document.querySelector<HTMLVideoElement>('.stage > .tile video');
  void video?.requestPictureInPicture().catch(() => undefined);
}
