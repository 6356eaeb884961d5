/** Messages of a session, and the reactions that are counted. */
import { fieldsOf, listOf, numberOf, textOf, wordOf, type Fields } from '../../../json';
import type { SessionEvent } from '../event';

export const SCOPES = ['all', 'staff', 'person', 'breakout'] as const;

export interface Message {
  id: string;
  by: string;
  at: number;
  text: string;
  scope: (typeof SCOPES)[number];
  target: string;
  /** Only staff and the author see it until it is approved. */
  held: boolean;
  pinned: boolean;
  deleted: boolean;
  edited: boolean;
}

export const MODES = ['open', 'slow', 'staff_first', 'closed'] as const;
export type Mode = (typeof MODES)[number];

export interface Chat {
  messages: readonly Message[];
  mode: Mode;
  /** Seconds between two messages of a student in slow mode. */
  intervalS: number;
  reactions: Readonly<Record<string, number>>;
}

// More than people scroll back; the server has all messages.
const MOST = 500;

function readMessage(value: unknown): Message {
  const fields = fieldsOf(value);
  return {
    id: textOf(fields['id']),
    by: textOf(fields['by']),
    at: numberOf(fields['at']) ?? 0,
    text: textOf(fields['text']),
    scope: wordOf(fields['scope'], SCOPES),
    target: textOf(fields['target']),
    held: fields['held'] === true,
    pinned: fields['pinned'] === true,
    deleted: fields['deleted'] === true,
    edited: typeof fields['edited_at'] === 'number',
  };
}

export function readChat(chat: Fields, reactions: Fields): Chat {
  const counts = Object.entries(fieldsOf(reactions['counts']));
  const latest = listOf(chat['messages']).map(readMessage);
  const known = new Set(latest.map(({ id }) => id));
  const pinned = listOf(chat['pinned']).map(readMessage);
  return {
    // Pinned messages may be older than the latest ones.
    messages: [...pinned.filter(({ id }) => !known.has(id)), ...latest],
    mode: wordOf(chat['mode'], MODES),
    intervalS: numberOf(chat['interval_s']) ?? 0,
    reactions: Object.fromEntries(counts.map(([expression, count]) => [expression, numberOf(count) ?? 0])),
  };
}

export function applyChat(part: Chat, event: SessionEvent): Chat {
  const { type, at, fields } = event;
  const id = textOf(fields['message']);
  const change = (changed: Partial<Message>): Chat => ({
    ...part,
    messages: part.messages.map((each) => (each.id === id ? { ...each, ...changed } : each)),
  });
  switch (type) {
    case 'chat.sent': {
      // A message without a text was deleted before this page caught up.
      if (textOf(fields['text']) === '') return part;
      return add(part, readMessage({ ...fields, id }));
    }
    case 'chat.approved': {
      if (part.messages.some((each) => each.id === id)) return change({ held: false });
      if (textOf(fields['text']) === '') return part;
      return add(part, readMessage({ ...fields, id, by: fields['author'], at: fields['sent_at'] ?? at }));
    }
    case 'chat.edited':
      return change({ text: textOf(fields['text']), edited: true });
    case 'chat.deleted':
      return change({ text: '', deleted: true, pinned: false });
    case 'chat.pinned':
      return change({ pinned: true });
    case 'chat.unpinned':
      return change({ pinned: false });
    case 'chat.mode_set':
      return { ...part, mode: wordOf(fields['mode'], MODES), intervalS: numberOf(fields['interval_s']) ?? 0 };
    case 'reactions.reacted': {
      const expression = textOf(fields['expression']);
      const count = (part.reactions[expression] ?? 0) + 1;
      return { ...part, reactions: { ...part.reactions, [expression]: count } };
    }
    default:
      return part;
  }
}

function add(part: Chat, message: Message): Chat {
  const { messages } = part;
  const kept = messages.filter(({ pinned }, index) => pinned || index > messages.length - MOST);
  return { ...part, messages: [...kept, message] };
}
