import { useEffect, useLayoutEffect, useRef, useState, type PointerEvent, type RefObject } from 'react';

import { boxOf } from '../../../client/classroom/board/images';
import { lineHeight, PAGE, type Item, type Point } from '../../../client/classroom/board/items';
import type { BoardPage } from '../../../client/classroom/board/page';
import { s } from '../../../client/text/sessions/texts';
import type { Size } from '../../../stage/layout';
import { fit, paint, wipe } from '../../../stage/board/paint';
import type { BoardPictures } from '../../../stage/board/pictures';
import { useStore } from '../../../ui/hooks/useStore';
import { usePointer, usePointing } from './pointer';
import { ERASER_RADIUS, type Chosen } from './tools';
import { useImages } from './useImages';

interface BoardCanvasProps {
  page: BoardPage;
  items: readonly Item[];
  size: Size;
  pictures: BoardPictures;
  /** Undefined for people who may not draw. */
  chosen: Chosen | undefined;
  onChosen: (chosen: Chosen) => void;
}

// How far from the corner of an image it can be taken, in pixels of the screen: half of a finger's target.
const REACH_PX = 22;

// A stroke is stored in pieces of this many points, about half a second each, so that others see it grow.
const PIECE = 32;

/** The page itself: stored items are on one canvas, the item being drawn on another above it. */
export function BoardCanvas({ page, items, size, pictures, chosen, onChosen }: BoardCanvasProps) {
  const stored = useRef<HTMLCanvasElement>(null);
  const [draft, setDraft] = useState<Item>();
  const [typing, setTyping] = useState<Point>();
  const point = usePointing();
  const images = useImages(page, items, chosen, onChosen);
  useStored(stored, items, size, pictures);
  const above = useDraft(images.draft ?? draft, size, pictures);
  const down = useRef(false);

  const at = (event: PointerEvent): Point => {
    const box = event.currentTarget.getBoundingClientRect();
    const inside = (value: number, most: number): number => Math.round(Math.min(Math.max(value, 0), most));
    return {
      x: inside(((event.clientX - box.left) / box.width) * PAGE.width, PAGE.width),
      y: inside(((event.clientY - box.top) / box.height) * PAGE.height, PAGE.height),
    };
  };
  const start = (event: PointerEvent<HTMLCanvasElement>): void => {
    if (chosen === undefined || event.button !== 0) return;
    const { tool, colour, width } = chosen;
    const { x, y } = at(event);
    if (tool === 'text') {
      // Otherwise the press itself would take the focus from the field that it opens.
      event.preventDefault();
      setTyping({ x, y });
      return;
    }
    if (tool === 'move' && !images.take({ x, y }, (REACH_PX * PAGE.width) / size.width)) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    down.current = true;
    if (tool === 'move') return;
    page.begin();
    if (tool === 'eraser') page.erase({ x, y }, ERASER_RADIUS);
    else if (tool !== 'laser') setDraft({ kind: tool, colour, width, points: [x, y], text: '' });
  };
  const move = (event: PointerEvent<HTMLCanvasElement>): void => {
    if (chosen === undefined) return;
    const to = at(event);
    if (chosen.tool === 'laser') point(to);
    if (!down.current) return;
    if (chosen.tool === 'move') images.drag(to);
    else if (chosen.tool === 'eraser') page.erase(to, ERASER_RADIUS);
    else if (draft !== undefined) setDraft(extended(draft, to, page));
  };
  const stop = (): void => {
    if (!down.current) return;
    down.current = false;
    images.release();
    if (draft !== undefined) page.add(draft);
    setDraft(undefined);
    page.begin();
  };
  return (
    <div className="board-page" style={size}>
      <canvas ref={stored} aria-hidden="true" />
      <canvas
        ref={above}
        aria-label={labelOf(chosen)}
        // Text can be added, and images can be moved, without a pointer.
        tabIndex={chosen?.tool === 'text' || chosen?.tool === 'move' ? 0 : undefined}
        data-testid="board-canvas"
        data-items={items.length}
        className={classOf(chosen)}
        onPointerDown={start}
        onPointerMove={move}
        onPointerUp={stop}
        onPointerCancel={stop}
        onKeyDown={(event) => {
          if (images.press(event.key)) event.preventDefault();
          if (event.key !== 'Enter' || chosen?.tool !== 'text') return;
          event.preventDefault();
          setTyping({ x: PAGE.width / 3, y: PAGE.height / 3 });
        }}
      />
      {typing !== undefined && chosen !== undefined && (
        <TextInput
          key={`${typing.x} ${typing.y}`}
          at={typing}
          chosen={chosen}
          scale={size.width / PAGE.width}
          onDone={(text) => {
            setTyping(undefined);
            if (text === '') return;
            const { colour, width } = chosen;
            page.begin();
            page.add({ kind: 'text', colour, width, points: [typing.x, typing.y], text });
            page.begin();
          }}
        />
      )}
      <Frame item={images.draft ?? images.selected} />
      <PointerMark />
    </div>
  );
}

function labelOf(chosen: Chosen | undefined): string {
  if (chosen === undefined) return s('board.page');
  return chosen.tool === 'move' ? s('board.moveHelp') : s('board.draw');
}

function classOf(chosen: Chosen | undefined): string | undefined {
  if (chosen === undefined) return undefined;
  return chosen.tool === 'move' ? 'board-draws board-moves' : 'board-draws';
}

/** The frame of the chosen image, with the corner by which it is resized. */
function Frame({ item }: { item: Item | undefined }) {
  if (item === undefined) return null;
  const { left, top, width, height } = boxOf(item);
  const part = (value: number, whole: number): string => `${(value / whole) * 100}%`;
  return (
    <span
      className="board-frame"
      data-testid="board-frame"
      data-points={item.points.join(' ')}
      style={{
        left: part(left, PAGE.width),
        top: part(top, PAGE.height),
        width: part(width, PAGE.width),
        height: part(height, PAGE.height),
      }}
    />
  );
}

/** A draft with a further point. Long enough pieces of a stroke are stored. */
function extended(draft: Item, { x, y }: Point, page: BoardPage): Item {
  if (draft.kind !== 'pen') return { ...draft, points: [...draft.points.slice(0, 2), x, y] };
  const points = [...draft.points, x, y];
  if (points.length < 2 * PIECE) return { ...draft, points };
  page.add({ ...draft, points });
  return { ...draft, points: [x, y] };
}

/** Paint the stored items; items added at the end are painted above the rest, any other change repaints everything. */
function useStored(
  canvas: RefObject<HTMLCanvasElement | null>,
  items: readonly Item[],
  size: Size,
  pictures: BoardPictures,
): void {
  const { ready } = useStore(pictures.state);
  const painted = useRef<{ items: readonly Item[]; size: Size; ready: number }>({ items: [], size, ready });
  useLayoutEffect(() => {
    const context = canvas.current === null ? null : sized(canvas.current, size);
    if (context === null) return;
    const before = painted.current;
    const grown =
      before.size === size &&
      before.ready === ready &&
      before.items.every((item, index) => item === items[index]);
    if (!grown) wipe(context);
    for (const item of items.slice(grown ? before.items.length : 0)) paint(context, item, pictures.get);
    painted.current = { items, size, ready };
  }, [canvas, items, size, pictures, ready]);
}

function useDraft(draft: Item | undefined, size: Size, pictures: BoardPictures) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current === null ? null : sized(canvas.current, size);
    if (context === null) return;
    wipe(context);
    if (draft !== undefined) paint(context, draft, pictures.get);
  }, [draft, size, pictures]);
  return canvas;
}

/** The context of a canvas with one pixel for each pixel of the screen. */
function sized(canvas: HTMLCanvasElement, { width, height }: Size): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio;
  const wanted = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
  // Setting a size clears the canvas.
  if (canvas.width !== wanted.width) canvas.width = wanted.width;
  if (canvas.height !== wanted.height) canvas.height = wanted.height;
  const context = canvas.getContext('2d');
  if (context !== null) fit(context);
  return context;
}

interface TextInputProps {
  at: Point;
  chosen: Chosen;
  scale: number;
  onDone: (text: string) => void;
}

/** A text field at the text's place. Enter and a press elsewhere store the text, Escape discards it. */
function TextInput({ at, chosen, scale, onDone }: TextInputProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const done = useRef(false);
  useEffect(() => field.current?.focus(), []);
  const finish = (text: string): void => {
    if (done.current) return;
    done.current = true;
    onDone(text.trim());
  };
  return (
    <textarea
      ref={field}
      className="board-text"
      aria-label={s('board.text')}
      data-testid="board-text"
      rows={2}
      maxLength={500}
      style={{
        left: at.x * scale,
        top: at.y * scale,
        color: chosen.colour,
        fontSize: Math.max(lineHeight(chosen.width) * scale, 12),
      }}
      onBlur={({ target }) => finish(target.value)}
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          finish('');
        }
        if (event.key === 'Enter' && !event.shiftKey) {
          event.preventDefault();
          finish(event.currentTarget.value);
        }
      }}
    />
  );
}

function PointerMark() {
  const pointing = usePointer();
  if (pointing === undefined) return null;
  return (
    <span
      className="pointer-mark"
      data-testid="pointer"
      style={{ left: `${(pointing.x / PAGE.width) * 100}%`, top: `${(pointing.y / PAGE.height) * 100}%` }}
    >
      <span>{pointing.name}</span>
    </span>
  );
}
