/** Draws items of the whiteboard onto a canvas whose units are those of the page. */
import { boxOf } from '../../client/classroom/board/images';
import { lineHeight, PAGE, pointsOf, type Item } from '../../client/classroom/board/items';
import type { BoardPictures, Picture } from './pictures';

type Context = CanvasRenderingContext2D;

/** Make the units of a canvas those of the page. */
export function fit(context: Context): void {
  const { width, height } = context.canvas;
  context.setTransform(width / PAGE.width, 0, 0, height / PAGE.height, 0, 0);
}

export function wipe(context: Context): void {
  context.clearRect(0, 0, PAGE.width, PAGE.height);
}

/** `pictureOf` finds the images of files. */
export function paint(context: Context, item: Item, pictureOf: BoardPictures['get']): void {
  if (item.image !== undefined) {
    paintImage(context, item, pictureOf(item.image.file));
    return;
  }
  const points = pointsOf(item);
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return;
  context.strokeStyle = item.colour;
  context.fillStyle = item.colour;
  context.lineWidth = item.width;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.beginPath();
  switch (item.kind) {
    case 'image':
      return;
    case 'pen':
    case 'line':
      context.moveTo(first.x, first.y);
      for (const { x, y } of points) context.lineTo(x, y);
      break;
    case 'rect':
      context.rect(first.x, first.y, last.x - first.x, last.y - first.y);
      break;
    case 'ellipse':
      context.ellipse(
        (first.x + last.x) / 2,
        (first.y + last.y) / 2,
        Math.abs(last.x - first.x) / 2,
        Math.abs(last.y - first.y) / 2,
        0,
        0,
        2 * Math.PI,
      );
      break;
    case 'text': {
      const size = lineHeight(item.width);
      context.font = `${size}px system-ui, sans-serif`;
      context.textBaseline = 'top';
      item.text.split('\n').forEach((line, index) => {
        context.fillText(line, first.x, first.y + index * size * 1.2);
      });
      return;
    }
  }
  context.stroke();
}

/** An image, or its place while it is loaded. A file that this person cannot load has a cross. */
function paintImage(context: Context, item: Item, picture: Picture): void {
  const { left, top, width, height } = boxOf(item);
  if (picture !== undefined && picture !== 'missing') {
    context.drawImage(picture, left, top, width, height);
    return;
  }
  context.strokeStyle = '#53605c';
  context.lineWidth = 2;
  context.beginPath();
  context.rect(left, top, width, height);
  if (picture === 'missing') {
    context.moveTo(left, top);
    context.lineTo(left + width, top + height);
    context.moveTo(left + width, top);
    context.lineTo(left, top + height);
  }
  context.stroke();
}

/** A page as a PNG, on white. */
export async function imageOf(items: readonly Item[], pictures: BoardPictures): Promise<Blob> {
  await pictures.loadAll(items.flatMap(({ image }) => image?.file ?? []));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [PAGE.width, PAGE.height];
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas');
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, PAGE.width, PAGE.height);
  for (const item of items) paint(context, item, pictures.get);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error('no image')) : resolve(blob)), 'image/png');
  });
}
