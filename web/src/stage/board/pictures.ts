/** Images of the whiteboard: those of the session are loaded and decoded, a person's own are prepared for sending. */
import type { Caller } from '../../client/classroom/call';
import { pathOf } from '../../client/classroom/sessions';
import { UnreachableError } from '../../client/server/server';
import { Store, type Readable } from '../../client/store';

/** Content types of images on the whiteboard, as in `signaling/teaching/boards/items.py`. */
export const IMAGE_TYPES: readonly string[] = ['image/png', 'image/jpeg', 'image/webp'];

// The width of the page in units: more pixels would be seen by nobody, and 50 images have to fit into a phone's memory.
const MOST_PIXELS = 1600;
const QUALITY = 0.9;
const RETRY_MS = 2000;

/** `missing`: there is no such file for this person, or it is no image. Undefined while it is loaded. */
export type Picture = ImageBitmap | 'missing' | undefined;

/** The images of a page of the whiteboard. They are decoded one after the other, so that only one is there in full size. */
export class BoardPictures {
  private pictures = new Map<string, ImageBitmap | 'missing' | 'loading'>();
  private queue: Promise<void> = Promise.resolve();
  private readonly store = new Store<{ ready: number }>({ ready: 0 });
  /** Changes when an image can be painted that could not be painted before. */
  readonly state: Readable<{ ready: number }> = this.store;

  constructor(
    private readonly caller: Pick<Caller, 'load'>,
    private readonly session: string,
    private readonly decode: (blob: Blob) => Promise<ImageBitmap> = decoded,
  ) {}

  /** The image of a file; the first call loads it. */
  readonly get = (file: string): Picture => {
    const found = this.pictures.get(file);
    if (found === undefined) {
      const { pictures } = this;
      pictures.set(file, 'loading');
      this.queue = this.queue.then(() => this.load(file, pictures));
    }
    return found === 'loading' ? undefined : found;
  };

  /** Load the images of these files. */
  async loadAll(files: readonly string[]): Promise<void> {
    for (const file of files) this.get(file);
    await this.queue;
  }

  /** Free all images; those that are asked for later are loaded again. */
  close(): void {
    for (const picture of this.pictures.values()) if (typeof picture === 'object') picture.close();
    this.pictures = new Map();
  }

  private async load(file: string, pictures: typeof this.pictures): Promise<void> {
    // Closed meanwhile.
    if (pictures !== this.pictures) return;
    const picture = await this.request(file);
    if (pictures !== this.pictures) {
      if (typeof picture === 'object') picture.close();
      return;
    }
    if (picture === undefined) pictures.delete(file);
    else pictures.set(file, picture);
    const show = (): void => this.store.set({ ready: this.store.snapshot().ready + 1 });
    // Painting asks for the image again.
    if (picture === undefined) setTimeout(show, RETRY_MS);
    else show();
  }

  /** Undefined if the server cannot be reached. */
  private async request(file: string): Promise<Picture> {
    const path = `${pathOf(this.session)}/files/${encodeURIComponent(file)}?inline=true`;
    try {
      return await this.decode(await this.caller.load(path));
    } catch (error) {
      return error instanceof UnreachableError ? undefined : 'missing';
    }
  }
}

/** An image in at most the pixels that the page shows. Throws for what is no image. */
async function decoded(blob: Blob): Promise<ImageBitmap> {
  if (!IMAGE_TYPES.includes(blob.type)) throw new Error(`not an image: ${blob.type}`);
  const whole = await createImageBitmap(blob);
  const scale = MOST_PIXELS / Math.max(whole.width, whole.height);
  if (scale >= 1) return whole;
  const size = {
    resizeWidth: Math.max(1, Math.round(whole.width * scale)),
    resizeHeight: Math.max(1, Math.round(whole.height * scale)),
  };
  try {
    return await createImageBitmap(whole, { ...size, resizeQuality: 'high' });
  } finally {
    whole.close();
  }
}

/** The chosen file is no image that can be read. */
export class BadImageError extends Error {
  override readonly name = 'BadImageError';
}

export interface Prepared {
  file: File;
  width: number;
  height: number;
}

/**
 * An image as it is sent: turned upright, in the pixels that the page shows, and without what a phone adds to a
 * photograph, such as its place. Throws `BadImageError`.
 */
export async function prepared(file: File): Promise<Prepared> {
  const bitmap = await decoded(file).catch((error: unknown) => {
    throw new BadImageError(file.name, { cause: error });
  });
  const { width, height } = bitmap;
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  bitmap.close();
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, file.type, QUALITY);
  });
  if (blob === null) throw new BadImageError(file.name);
  return { file: new File([blob], nameOf(file.name, blob.type), { type: blob.type }), width, height };
}

/** The name with the ending of its content, which may be another one: not every browser writes WebP. */
function nameOf(name: string, type: string): string {
  const ending = type === 'image/jpeg' ? 'jpg' : type.slice('image/'.length);
  return `${name.replace(/\.[^.]*$/u, '') || 'image'}.${ending}`;
}
