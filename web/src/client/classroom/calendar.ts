/**
 * Days of a calendar as plain dates (`2026-11-30`), without hours: days of 23 or 25 hours are days like others. What happens
 * when is a moment, and a time zone says on which date it falls.
 */

import { placePath } from './place';
import type { Lesson } from './school/schedule';
import type { Summary } from './sessions';

/** A date of the proleptic Gregorian calendar, as `YYYY-MM-DD`. */
export type Day = string;

/** An entry of the calendar. */
export interface Entry {
  id: string;
  title: string;
  /** Seconds since 1970. */
  at: number;
  /** Where its page is; undefined for a lesson that has not begun. */
  href: string | undefined;
}

/** The sessions of a list that have a time and were not cancelled. */
export function sessionEntries(found: readonly Summary[]): Entry[] {
  return found.flatMap(({ id, title, phase, startsAt, startedAt }) => {
    const at = startedAt ?? startsAt;
    if (at === undefined || phase === 'cancelled' || phase === 'expired') return [];
    return [{ id, title, at, href: placePath({ kind: 'session', id }) }];
  });
}

/** The lessons of a timetable; each becomes a session when it starts. */
export function lessonEntries(lessons: readonly Lesson[]): Entry[] {
  return lessons.map(({ series, key, title, startsAt }) => ({
    id: `${series} ${key}`,
    title,
    at: startsAt,
    href: undefined,
  }));
}

export type Span = 'week' | 'month';

/** The date of a moment in an IANA time zone. */
export function dayOf(atS: number, zone: string): Day {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(atS * 1000);
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}

/** The date some days later, or earlier. */
export function addDays(day: Day, count: number): Day {
  const date = new Date(`${day}T00:00Z`);
  date.setUTCDate(date.getUTCDate() + count);
  return date.toISOString().slice(0, 10);
}

/** The first day of the next or an earlier month. */
export function addMonths(day: Day, count: number): Day {
  const date = new Date(`${day.slice(0, 7)}-01T00:00Z`);
  date.setUTCMonth(date.getUTCMonth() + count);
  return date.toISOString().slice(0, 10);
}

/** The days that a view shows: the week of a day, or all weeks with a day of its month. `firstWeekday`: 1 is Monday, 7 Sunday. */
export function daysOf(span: Span, day: Day, firstWeekday: number): Day[] {
  const first = span === 'week' ? day : `${day.slice(0, 7)}-01`;
  const start = addDays(first, -((weekday(first) - firstWeekday + 7) % 7));
  if (span === 'week') return range(start, 7);
  const last = addDays(addMonths(day, 1), -1);
  const weeks = Math.ceil((daysBetween(start, last) + 1) / 7);
  return range(start, weeks * 7);
}

/** The day on which the view before or after shows the next period. */
export function turn(span: Span, day: Day, by: -1 | 1): Day {
  return span === 'week' ? addDays(day, by * 7) : addMonths(day, by);
}

/** The entries by date, each day's in the order of their times. */
export function byDay(entries: readonly Entry[], zone: string): ReadonlyMap<Day, Entry[]> {
  const found = new Map<Day, Entry[]>();
  for (const entry of entries.toSorted((a, b) => a.at - b.at)) {
    const day = dayOf(entry.at, zone);
    found.set(day, [...(found.get(day) ?? []), entry]);
  }
  return found;
}

/** The first weekday in a language's region: 1 is Monday, 7 Sunday; Monday (ISO 8601) where the browser does not know. */
export function firstWeekdayOf(tag: string): number {
  const locale = new Intl.Locale(tag) as Intl.Locale & { getWeekInfo?: () => { firstDay: number } };
  return locale.getWeekInfo?.().firstDay ?? 1;
}

function weekday(day: Day): number {
  return new Date(`${day}T00:00Z`).getUTCDay() || 7;
}

function daysBetween(from: Day, to: Day): number {
  return (Date.parse(`${to}T00:00Z`) - Date.parse(`${from}T00:00Z`)) / 86_400_000;
}

function range(start: Day, count: number): Day[] {
  return Array.from({ length: count }, (_, index) => addDays(start, index));
}
