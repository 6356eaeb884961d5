/** Breakouts: the rooms, the assignments (for staff), the person's own room. */
import { fieldsOf, listOf, numberOf, textOf, textsOf, type Fields } from '../../../json';
import type { SessionEvent } from '../event';

export interface Breakouts {
  rooms: readonly { id: string; name: string }[];
  open: boolean;
  choice: boolean;
  /** When they close automatically, in seconds since 1970. */
  endsAt: number | undefined;
  /** The person's own room; empty: none. */
  mine: string;
  /** Room by person; for staff. */
  places: Readonly<Record<string, string>>;
}

const readRooms = (value: unknown): { id: string; name: string }[] =>
  listOf(value).map((room) => ({ id: textOf(fieldsOf(room)['id']), name: textOf(fieldsOf(room)['name']) }));

export function readBreakouts(fields: Fields): Breakouts {
  const places = Object.entries(fieldsOf(fields['places']));
  return {
    rooms: readRooms(fields['rooms']),
    open: fields['open'] === true,
    choice: fields['choice'] === true,
    endsAt: numberOf(fields['ends_at']),
    mine: textOf(fields['mine']),
    places: Object.fromEntries(
      places.flatMap(([room, people]) => textsOf(people).map((person) => [person, room])),
    ),
  };
}

/** `me`: the id of this page's person. */
export function applyBreakouts(part: Breakouts, event: SessionEvent, me: string): Breakouts {
  const { type, fields } = event;
  switch (type) {
    case 'breakouts.made':
      return {
        ...part,
        rooms: readRooms(fields['rooms']),
        choice: fields['choice'] === true,
        mine: '',
        places: {},
      };
    case 'breakouts.moved': {
      const [person, room] = [textOf(fields['person']), textOf(fields['room'])];
      return placed(part, person === me ? room : part.mine, { ...part.places, [person]: room });
    }
    case 'breakouts.shuffled': {
      const places = Object.fromEntries(
        Object.entries(fieldsOf(fields['places'])).map(([person, room]) => [person, textOf(room)]),
      );
      return placed(part, places[me] ?? '', places);
    }
    case 'breakouts.opened':
      return { ...part, open: true, endsAt: numberOf(fields['ends_at']) };
    case 'breakouts.called':
      return { ...part, endsAt: numberOf(fields['ends_at']) };
    case 'breakouts.closed':
    case 'session.ended':
      return { ...part, open: false, endsAt: undefined };
    case 'people.left': {
      // A lost connection keeps the place.
      if (!['removed', 'banned', 'left'].includes(textOf(fields['reason']))) return part;
      const person = textOf(fields['person']);
      return placed(part, person === me ? '' : part.mine, { ...part.places, [person]: '' });
    }
    default:
      return part;
  }
}

function placed(part: Breakouts, mine: string, places: Readonly<Record<string, string>>): Breakouts {
  return {
    ...part,
    mine,
    places: Object.fromEntries(Object.entries(places).filter(([, room]) => room !== '')),
  };
}
