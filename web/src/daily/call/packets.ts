/** The data packets of topic `lectern.daily`: what pages and the server say to each other beside media. */
import { isFields, textOf, type Fields } from '../../client/json';

export type Packet =
  /** From an application, or from a chat window. */
  | { kind: 'app-message'; data: unknown; from: string }
  /** What the whole meeting shares has changed. */
  | { kind: 'session-data'; data: unknown }
  /** Somebody may do something else than before; in Daily's form. */
  | { kind: 'permissions'; identity: string; permissions: Fields }
  /** Who waits at the door has changed. */
  | { kind: 'waiting' };

/** Read a packet; undefined when it is none that a page knows. `sender` is empty for the server. */
export function readPacket(payload: Uint8Array, sender: string): Packet | undefined {
  let message: unknown;
  try {
    message = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
  if (!isFields(message)) return undefined;
  const { kind, data, from, session_id: identity, permissions } = message;
  if (kind === 'app-message') {
    // Only the server may name somebody else.
    return { kind, data, from: sender === '' && typeof from === 'string' ? from : sender };
  }
  if (sender !== '') return undefined;
  if (kind === 'session-data') return { kind, data };
  if (kind === 'waiting') return { kind };
  if (kind === 'permissions' && typeof identity === 'string' && isFields(permissions)) {
    return { kind, identity, permissions };
  }
  return undefined;
}

/** Write an application's message. */
export function appMessage(data: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ kind: 'app-message', data }));
}

/** A line of chat. */
export interface ChatLine {
  from: string;
  name: string;
  text: string;
  atMs: number;
}

/** The chat line that an application's message is, if it is one: Daily's own page sends chat in this form. */
export function chatLine(data: unknown, from: string, nowMs: number): ChatLine | undefined {
  if (!isFields(data) || data['event'] !== 'chat-msg' || typeof data['message'] !== 'string')
    return undefined;
  const { name, date, message } = data;
  const sentAt = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  return {
    from,
    name: textOf(name),
    text: message,
    atMs: Number.isNaN(sentAt) ? nowMs : sentAt,
  };
}

/** What is sent for a line of chat. */
export function chatMessage(name: string, text: string, nowMs: number): Record<string, unknown> {
  return { event: 'chat-msg', date: new Date(nowMs).toISOString(), message: text, name, room: 'main-room' };
}
