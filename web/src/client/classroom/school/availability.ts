/** When a tutor can be booked: weekly times in the tutor's time zone, and exceptions. */
import { fieldsOf, isFields, listOf, numberOf, textOf, type Fields } from '../../json';
import type { Caller } from '../call';
import { localOf, momentOf } from '../time';

export interface WeeklyTime {
  /** 0 is Monday. */
  weekday: number;
  /** Local time such as 09:00, as a time field has it. */
  from: string;
  /** 24:00, the end of the day, is 00:00 in the field. */
  to: string;
}

export const EXCEPTION_KINDS = ['away', 'extra'] as const;
export type ExceptionKind = (typeof EXCEPTION_KINDS)[number];

/** A time at which the weekly times do not hold. */
export interface Exception {
  /** The tutor is away, or can be booked in addition. */
  kind: ExceptionKind;
  /** Local time such as 2026-11-30T09:00, as a date and time field has it. */
  from: string;
  to: string;
  /** As the server has it, in seconds since 1970: of an hour that the clock has twice, local time does not say which. */
  stored?: readonly [number, number];
}

/** The longest additional time, as in `classroom/limits.py`. */
export const LONGEST_EXTRA_H = 12;

export interface Offer {
  timeZone: string;
  weekly: readonly WeeklyTime[];
  /** Those that are not over. */
  exceptions: readonly Exception[];
  slotMinutes: number;
  /** What the form does not show; it stays as it is. */
  rest: Fields;
  hoursRest: Fields;
}

const DAY_MINUTES = 24 * 60;
const DEFAULT_SLOT_S = 1800;

/** A date on a day of the week, from which its name can be made; 0 is Monday. */
export function dateOn(weekday: number): string {
  return `2026-01-${String(5 + weekday).padStart(2, '0')}`;
}

/** A minute of the day as a time field has it. */
export function clockOf(minute: number): string {
  const shown = minute % DAY_MINUTES;
  const [hours, minutes] = [Math.floor(shown / 60), shown % 60];
  return `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
}

/** The minute of the day of a time field; undefined while it is incomplete. */
export function minuteOf(clock: string): number | undefined {
  const match = /^(\d\d):(\d\d)$/u.exec(clock);
  return match === null ? undefined : Number(match[1]) * 60 + Number(match[2]);
}

/** The minute at which a time ends: midnight is the end of the day. */
function endOf(clock: string): number {
  const minute = minuteOf(clock) ?? 0;
  return minute === 0 ? DAY_MINUTES : minute;
}

/** What is wrong with weekly times; undefined if nothing is. */
export function weeklyFault(weekly: readonly WeeklyTime[]): 'incomplete' | 'order' | undefined {
  for (const { from, to } of weekly) {
    const starts = minuteOf(from);
    if (starts === undefined || minuteOf(to) === undefined) return 'incomplete';
    if (endOf(to) <= starts) return 'order';
  }
  return undefined;
}

/** What is wrong with exceptions; undefined if nothing is. */
export function exceptionFault(
  exceptions: readonly Exception[],
  zone: string,
): 'incomplete' | 'order' | 'long' | undefined {
  for (const exception of exceptions) {
    const [starts, ends] = momentsOf(exception, zone);
    if (starts === undefined || ends === undefined) return 'incomplete';
    if (ends <= starts) return 'order';
    if (exception.kind === 'extra' && ends - starts > LONGEST_EXTRA_H * 3600) return 'long';
  }
  return undefined;
}

function momentsOf({ from, to, stored }: Exception, zone: string): (number | undefined)[] {
  return [from, to].map((local, index) => {
    const before = stored?.[index];
    return before !== undefined && localOf(before, zone) === local ? before : momentOf(local, zone);
  });
}

function readExceptions(kind: ExceptionKind, value: unknown, zone: string, nowS: number): Exception[] {
  return listOf(value).flatMap((span) => {
    const [starts = 0, ends = 0] = listOf(span).map(numberOf);
    if (ends <= nowS) return [];
    return [{ kind, from: localOf(starts, zone), to: localOf(ends, zone), stored: [starts, ends] as const }];
  });
}

/** `nowS`: exceptions that are over by then change nothing any more, and are left out. */
export function readOffer(value: unknown, ownZone: string, nowS: number): Offer {
  const { slot_s: slotS, hours: hoursValue, ...rest } = fieldsOf(value);
  const { time_zone: zoneValue, weekly, away, extra, ...hoursRest } = fieldsOf(hoursValue);
  const timeZone = textOf(zoneValue) || ownZone;
  const exceptions = [
    ...readExceptions('away', away, timeZone, nowS),
    ...readExceptions('extra', extra, timeZone, nowS),
  ];
  return {
    timeZone,
    exceptions: exceptions.sort((a, b) => (a.stored?.[0] ?? 0) - (b.stored?.[0] ?? 0)),
    weekly: listOf(weekly)
      .filter(isFields)
      .map((each) => ({
        weekday: numberOf(each['weekday']) ?? 0,
        from: clockOf(numberOf(each['from_minute']) ?? 0),
        to: clockOf(numberOf(each['to_minute']) ?? 0),
      })),
    slotMinutes: (numberOf(slotS) ?? DEFAULT_SLOT_S) / 60,
    rest,
    hoursRest,
  };
}

export function offerBody({ timeZone, weekly, exceptions, slotMinutes, rest, hoursRest }: Offer): Fields {
  const spans = (kind: ExceptionKind): (number | undefined)[][] =>
    exceptions.filter((each) => each.kind === kind).map((each) => momentsOf(each, timeZone));
  return {
    ...rest,
    slot_s: slotMinutes * 60,
    hours: {
      ...hoursRest,
      time_zone: timeZone,
      weekly: weekly.map(({ weekday, from, to }) => ({
        weekday,
        from_minute: minuteOf(from) ?? 0,
        to_minute: endOf(to),
      })),
      away: spans('away'),
      extra: spans('extra'),
    },
  };
}

const pathOf = (tutor: string): string => `/availability/${encodeURIComponent(tutor)}`;

export const availability = {
  async load(caller: Caller, tutor: string, ownZone: string): Promise<Offer> {
    return readOffer((await caller.get(pathOf(tutor)))['offer'], ownZone, Date.now() / 1000);
  },

  async save(caller: Caller, tutor: string, offer: Offer): Promise<void> {
    await caller.put(pathOf(tutor), offerBody(offer));
  },
};
