/** The data packets of topic `lectern.daily`, which the pages and the server exchange. */
import { isFields, textOf, type Fields } from '../../client/json';
import type { ChatLine } from '../../room/chatLog';

export type TranscriptionEvent = 'started' | 'message' | 'stopped' | 'error';

const TRANSCRIPTION_EVENTS: readonly unknown[] = ['started', 'message', 'stopped', 'error'];

export type Packet =
  /** A message of an application, or a line of chat. */
  | { kind: 'app-message'; data: unknown; from: string }
  /** The data that the whole meeting shares has changed (Daily's meeting session data). */
  | { kind: 'session-data'; data: unknown }
  /** The permissions of a participant have changed; in Daily's format. */
  | { kind: 'permissions'; identity: string; permissions: Fields }
  /** The transcription of the meeting: started, message, stopped or error, with the fields of daily-js's event. */
  | { kind: 'transcription'; event: TranscriptionEvent; facts: Fields }
  /** Somebody started or stopped waiting to be let in. */
  | { kind: 'waiting' };

/** Read a packet; undefined for an unknown or malformed one. `sender` is empty for the server. */
export function readPacket(payload: Uint8Array, sender: string): Packet | undefined {
  let message: unknown;
  try {
    message = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
  if (!isFields(message)) return undefined;
  const { kind, data, from, session_id: identity, permissions, event, facts } = message;
  if (kind === 'app-message') {
    // Only the server may send in the name of a participant.
    return { kind, data, from: sender === '' && typeof from === 'string' ? from : sender };
  }
  if (sender !== '') return undefined;
  if (kind === 'session-data') return { kind, data };
  if (kind === 'waiting') return { kind };
  if (kind === 'transcription' && TRANSCRIPTION_EVENTS.includes(event) && isFields(facts)) {
    return { kind, event: event as TranscriptionEvent, facts };
  }
  if (kind === 'permissions' && typeof identity === 'string' && isFields(permissions)) {
    return { kind, identity, permissions };
  }
  return undefined;
}

/** Encode an application's message. */
export function appMessage(data: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ kind: 'app-message', data }));
}

/** Read a line of chat, in the format of Daily's own page; undefined for any other message. */
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

/** The message that is sent for a line of chat. */
export function chatMessage(name: string, text: string, nowMs: number): Record<string, unknown> {
  return { event: 'chat-msg', date: new Date(nowMs).toISOString(), message: text, name, room: 'main-room' };
}
