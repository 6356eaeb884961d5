/** Appointments with tutors: who offers them, free times, and bookings. */
import { fieldsOf, listOf, numberOf, textOf, textsOf, type Fields } from '../../json';
import type { Caller } from '../call';

export interface Bookable {
  tutor: string;
  name: string;
}

/** Times are seconds since 1970. */
export interface Slot {
  startsAt: number;
  endsAt: number;
}

export interface Booking extends Slot {
  /** The scheduled session of the appointment. */
  session: string;
  person: string;
  name: string;
  topic: string;
}

export interface SlotDay {
  /** Such as 2026-11-30, in the zone of the list. */
  day: string;
  slots: readonly Slot[];
}

/** A course with the people whose times can be compared. */
export interface Course {
  id: string;
  title: string;
  people: readonly string[];
}

export interface Common {
  times: readonly Slot[];
  /** How many people have not set their times; they are left out. */
  unknown: number;
}

// As in `classroom` (`booking_calls.py`).
const MOST_PEOPLE = 50;

/** Free times are listed for this long at once, in seconds. */
export const WEEK_S = 7 * 86_400;

const pathOf = (tutor: string): string => `/availability/${encodeURIComponent(tutor)}`;

function readSlot(fields: Fields): Slot {
  return { startsAt: numberOf(fields['starts_at']) ?? 0, endsAt: numberOf(fields['ends_at']) ?? 0 };
}

function readBooking(fields: Fields): Booking {
  const person = textOf(fields['person']);
  return {
    ...readSlot(fields),
    session: textOf(fields['session']),
    person,
    name: textOf(fields['name']) || person,
    topic: textOf(fields['topic']),
  };
}

/** The date of a moment in an IANA time zone, such as 2026-11-30. */
export function dayIn(atS: number, zone: string): string {
  // Swedish writes dates as ISO 8601 does.
  return new Date(atS * 1000).toLocaleDateString('sv-SE', { timeZone: zone });
}

/** Free times by their day in a zone; both in order. */
export function byDay(slots: readonly Slot[], zone: string): SlotDay[] {
  const days = new Map<string, Slot[]>();
  for (const slot of slots) {
    const day = dayIn(slot.startsAt, zone);
    const known = days.get(day);
    if (known === undefined) days.set(day, [slot]);
    else known.push(slot);
  }
  return [...days].map(([day, found]) => ({ day, slots: found }));
}

export const appointments = {
  /** The tutors who can be booked. */
  async tutors(caller: Caller): Promise<Bookable[]> {
    return listOf((await caller.get('/availability'))['data'])
      .map(fieldsOf)
      .map((each) => ({ tutor: textOf(each['tutor']), name: textOf(each['name']) || textOf(each['tutor']) }));
  },

  /** The free times of a week from a moment on. */
  async slots(caller: Caller, tutor: string, sinceS: number): Promise<Slot[]> {
    const query = `since=${sinceS}&until=${sinceS + WEEK_S}`;
    return listOf((await caller.get(`${pathOf(tutor)}/slots?${query}`))['data'])
      .map(fieldsOf)
      .map(readSlot);
  },

  /** Book a free time; `title` is that of the session. */
  async book(
    caller: Caller,
    tutor: string,
    startsAt: number,
    topic: string,
    title: string,
  ): Promise<Booking> {
    return readBooking(await caller.post(`${pathOf(tutor)}/bookings`, { starts_at: startsAt, topic, title }));
  },

  /** The bookings to come: a tutor's own, or the caller's with this tutor. */
  async list(caller: Caller, tutor: string): Promise<Booking[]> {
    return listOf((await caller.get(`${pathOf(tutor)}/bookings`))['data'])
      .map(fieldsOf)
      .map(readBooking);
  },

  /** The courses of a tutor that have other people in them. */
  async courses(caller: Caller, me: string): Promise<Course[]> {
    return listOf((await caller.get('/courses'))['data'])
      .map(fieldsOf)
      .filter((each) => each['archived'] !== true)
      .map((each) => ({
        id: textOf(each['id']),
        title: textOf(each['title']),
        people: Object.keys(fieldsOf(each['people'])),
      }))
      .filter(({ people }) => people.some((person) => person !== me));
  },

  /** When all of these people are available for this long, in the week from now on. */
  async common(caller: Caller, people: readonly string[], durationS: number): Promise<Common> {
    const query = new URLSearchParams({
      people: people.slice(0, MOST_PEOPLE).join(','),
      duration_s: String(durationS),
    });
    const fields = await caller.get(`/availability/common?${query.toString()}`);
    return {
      times: listOf(fields['data']).map(fieldsOf).map(readSlot),
      unknown: textsOf(fields['unknown']).length,
    };
  },

  async cancel(caller: Caller, tutor: string, session: string): Promise<void> {
    await caller.delete(`${pathOf(tutor)}/bookings/${encodeURIComponent(session)}`);
  },
};
