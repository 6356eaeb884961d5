/**
 * The messages between this page and daily-js in the page around it: plain objects by `postMessage`. daily-js up to
 * 0.61 names the frame by `callFrameId`, later versions by `callClientId`; what goes out carries both.
 */
import { isFields, type Fields } from '../../client/json';
import type { Frame } from '../call/address';

const WHAT = 'iframe-call-message';
const ENVELOPE = new Set(['what', 'from', 'action', 'callClientId', 'callFrameId', 'callbackStamp']);

/** A message of daily-js. */
export interface Request {
  action: string;
  fields: Fields;
  /** Answer it; nothing happens where no answer is waited for. */
  reply: (fields: Fields) => void;
}

/** The window around this one, as far as the wire needs it. */
export type Parent = Pick<Window, 'postMessage'>;

export class Wire {
  constructor(
    private readonly frame: Frame,
    private readonly parent: Parent,
  ) {}

  /** Tell daily-js something. */
  post(action: string, fields: Fields = {}): void {
    this.send({ ...fields, action });
  }

  /** Read an event of this window; undefined when it is not daily-js of the page around that speaks. */
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
