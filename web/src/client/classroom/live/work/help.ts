/** Requests for help: the queue for staff, the student's own pending request for students. */
import { fieldsOf, listOf, numberOf, textOf, wordOf, type Fields } from '../../../json';
import type { SessionEvent } from '../event';

export const URGENCIES = ['normal', 'high', 'urgent'] as const;
export type Urgency = (typeof URGENCIES)[number];

export interface HelpRequest {
  id: string;
  by: string;
  at: number;
  urgency: Urgency;
  text: string;
  /** The member of staff who responded; empty while the request waits. */
  responder: string;
}

function readRequest(value: unknown): HelpRequest {
  const fields = fieldsOf(value);
  return {
    id: textOf(fields['id']) || textOf(fields['request']),
    by: textOf(fields['by']),
    at: numberOf(fields['at']) ?? 0,
    urgency: wordOf(fields['urgency'], URGENCIES),
    text: textOf(fields['text']),
    responder: textOf(fields['responder']),
  };
}

export function readHelp(fields: Fields): HelpRequest[] {
  return inOrder(listOf(fields['requests']).map(readRequest));
}

/** The most urgent first, then by longest wait. */
export function inOrder(requests: readonly HelpRequest[]): HelpRequest[] {
  const rank = ({ urgency }: HelpRequest): number => -URGENCIES.indexOf(urgency);
  return [...requests].sort((a, b) => rank(a) - rank(b) || a.at - b.at);
}

export function applyHelp(requests: readonly HelpRequest[], event: SessionEvent): readonly HelpRequest[] {
  const { type, by, fields } = event;
  const id = textOf(fields['request']);
  switch (type) {
    case 'help_requests.asked':
      return inOrder([...requests, readRequest({ ...fields, id })]);
    case 'help_requests.responded':
      return requests.map((each) => (each.id === id ? { ...each, responder: by } : each));
    case 'help_requests.resolved':
    case 'help_requests.dismissed':
      return requests.filter((each) => each.id !== id);
    case 'people.left': {
      // A person whose connection is lost may return and still need help.
      const stays = fields['reason'] === 'replaced' || fields['reason'] === 'connection_lost';
      return stays ? requests : requests.filter((each) => each.by !== fields['person']);
    }
    case 'session.ended':
      return [];
    default:
      return requests;
  }
}
