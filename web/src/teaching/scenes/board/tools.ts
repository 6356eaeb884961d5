/** The tools of the whiteboard, and their selection. */
import { COLOURS, WIDTHS, type FORMS } from '../../../client/classroom/board/items';

export const TOOLS = ['pen', 'line', 'rect', 'ellipse', 'text', 'eraser', 'move', 'laser'] as const;
export type Tool = (typeof TOOLS)[number];
export type Form = Extract<Tool, (typeof FORMS)[number]>;

export interface Chosen {
  tool: Tool;
  colour: string;
  width: number;
  /** Id of the image that `move` moves; empty while none is chosen. */
  image: string;
}

export const FIRST_CHOSEN: Chosen = { tool: 'pen', colour: COLOURS[0], width: WIDTHS[0], image: '' };

/** Size of the eraser, in units of the page. */
export const ERASER_RADIUS = 16;
