/** Zooming and moving a picture within its box: the arithmetic. Lengths are fractions of the box. */

export interface Zoom {
  /** 1 shows the whole picture. */
  scale: number;
  /** How far the picture is moved from the middle of the box, before scaling. */
  x: number;
  y: number;
}

export const WHOLE: Zoom = { scale: 1, x: 0, y: 0 };
/** One step of the buttons and keys. */
export const STEP = 1.25;
// At 8 times, 20 characters of a slide fill the box.
const LARGEST = 8;

/** Zoom by a factor and keep what is at a point of the box (0 to 1 from its top left corner) in its place. */
export function zoomBy(zoom: Zoom, factor: number, at: { x: number; y: number } = { x: 0.5, y: 0.5 }): Zoom {
  const scale = Math.min(LARGEST, Math.max(1, zoom.scale * factor));
  const kept = (offset: number, position: number): number =>
    offset + (position - 0.5) * (1 / scale - 1 / zoom.scale);
  return within({ scale, x: kept(zoom.x, at.x), y: kept(zoom.y, at.y) });
}

/** Move the picture by a distance on the screen. */
export function moveBy(zoom: Zoom, x: number, y: number): Zoom {
  return within({ ...zoom, x: zoom.x + x / zoom.scale, y: zoom.y + y / zoom.scale });
}

/** The value of the CSS property `transform`. */
export function transformOf({ scale, x, y }: Zoom): string {
  return `scale(${scale.toFixed(3)}) translate(${(x * 100).toFixed(2)}%, ${(y * 100).toFixed(2)}%)`;
}

/** Keep the box covered by the picture. */
function within({ scale, x, y }: Zoom): Zoom {
  const most = (1 - 1 / scale) / 2;
  // Adding 0 turns -0 into 0.
  const limit = (value: number): number => Math.max(-most, Math.min(most, value)) + 0;
  return { scale, x: limit(x), y: limit(y) };
}
