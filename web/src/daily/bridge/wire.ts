/**
 * The messages between this page and daily-js in the embedding page: plain objects sent with `postMessage`. daily-js up
 * to 0.61 identifies the frame by `callFrameId`, later versions by `callClientId`; outgoing messages have both.
 */
import { isFields, type Fields } from '../../client/json';
import type { Frame } from '../call/address';

const WHAT = 'iframe-call-message';
const ENVELOPE = new Set(['what', 'from', 'action', 'callClientId', 'callFrameId', 'callbackStamp']);

/** A request of daily-js. */
export interface Request {
  action: string;
  fields: Fields;
  /** Send the response, if daily-js waits for one. */
  reply: (fields: Fields) => void;
}

/** The part of the embedding window that is needed here. */
export type Parent = Pick<Window, 'postMessage'>;

export class Wire {
  constructor(
    private readonly frame: Frame,
    private readonly parent: Parent,
  ) {}

  /** Send an event to daily-js. */
  post(action: string, fields: Fields = {}): void {
    this.send({ ...fields, action });
  }

  /** Read a `message` event; undefined unless it comes from daily-js in the embedding page. */
  read(event: Pick<MessageEvent, 'data' | 'origin' | 'source'>): Request | undefined {
    if (event.source !== this.parent || event.origin !== this.frame.origin) return undefined;
    const data: unknown = event.data;
    if (!isFields(data) || data['what'] !== WHAT || data['from'] !== 'module') return undefined;
    const { action, callClientId, callFrameId, callbackStamp } = data;
    if (typeof action !== 'string' || (callClientId ?? callFrameId) !== this.frame.id) return undefined;
    const fields = Object.fromEntries(Object.entries(data).filter(([name]) => !ENVELOPE.has(name)));
    const reply = (answer: Fields): void => {
      if (callbackStamp !== undefined) this.send({ ...answer, action, callbackStamp });
    };
    return { action, fields, reply };
  }

  private send(message: Fields): void {
    const { id, origin } = this.frame;
    this.parent.postMessage(
      { ...message, what: WHAT, from: 'embedded', callClientId: id, callFrameId: id },
      origin,
    );
  }
}
