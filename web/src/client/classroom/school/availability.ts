/** When a tutor can be booked: weekly times in the tutor's time zone. */
import { fieldsOf, isFields, listOf, numberOf, textOf, type Fields } from '../../json';
import type { Caller } from '../call';

export interface WeeklyTime {
  /** 0 is Monday. */
  weekday: number;
  /** Local time such as 09:00, as a time field has it. */
  from: string;
  /** 24:00, the end of the day, is 00:00 in the field. */
  to: string;
}

export interface Offer {
  timeZone: string;
  weekly: readonly WeeklyTime[];
  slotMinutes: number;
  /** What the form does not show, such as exceptions; it stays as it is. */
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

export function readOffer(value: unknown, ownZone: string): Offer {
  const { slot_s: slotS, hours: hoursValue, ...rest } = fieldsOf(value);
  const { time_zone: zone, weekly, ...hoursRest } = fieldsOf(hoursValue);
  return {
    timeZone: textOf(zone) || ownZone,
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

export function offerBody({ timeZone, weekly, slotMinutes, rest, hoursRest }: Offer): Fields {
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
    },
  };
}

const pathOf = (tutor: string): string => `/availability/${encodeURIComponent(tutor)}`;

export const availability = {
  async load(caller: Caller, tutor: string, ownZone: string): Promise<Offer> {
    return readOffer((await caller.get(pathOf(tutor)))['offer'], ownZone);
  },

  async save(caller: Caller, tutor: string, offer: Offer): Promise<void> {
    await caller.put(pathOf(tutor), offerBody(offer));
  },
};
