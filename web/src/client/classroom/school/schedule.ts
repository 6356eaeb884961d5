/** A tutor's timetable: series of recurring lessons, and their occurrences. */
import { fieldsOf, listOf, numberOf, textOf, type Fields } from '../../json';
import type { Caller } from '../call';
import { sessions } from '../sessions';
import { pathOf } from '../sessions';

export const REPEATS = ['once', 'daily', 'weekdays', 'weekly', 'fortnightly', 'monthly'] as const;
export type Repeat = (typeof REPEATS)[number];

/** Recurrence rules (RFC 5545, section 3.3.10); the day of the week or month is that of the first lesson. */
const RULES: Readonly<Record<Repeat, string>> = {
  once: '',
  daily: 'FREQ=DAILY',
  weekdays: 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR',
  weekly: 'FREQ=WEEKLY',
  fortnightly: 'FREQ=WEEKLY;INTERVAL=2',
  monthly: 'FREQ=MONTHLY',
};

export interface NewSeries {
  title: string;
  /** Local time, such as 2026-11-30T09:15. */
  starts: string;
  zone: string;
  durationS: number;
  repeat: Repeat;
  /** Number of lessons; undefined: without an end. */
  count?: number | undefined;
}

export interface Lesson {
  series: string;
  /** Names this occurrence of the series. */
  key: string;
  title: string;
  startsAt: number;
  endsAt: number;
  repeats: boolean;
}

export interface Timetable {
  lessons: Lesson[];
  /** Keys of lessons that collide with another one, created by `collisionKey`. */
  collisions: ReadonlySet<string>;
}

export const collisionKey = (series: string, key: string): string => `${series} ${key}`;

/** The rule of a series in the server's format. */
export function ruleOf({ repeat, count }: Pick<NewSeries, 'repeat' | 'count'>): string {
  const rule = RULES[repeat];
  return rule === '' || count === undefined ? rule : `${rule};COUNT=${count}`;
}

export function readTimetable(fields: Fields): Timetable {
  const series = new Map(
    listOf(fields['series'])
      .map(fieldsOf)
      .map((each) => [
        textOf(each['id']),
        { title: textOf(each['title']), repeats: textOf(each['rule']) !== '' },
      ]),
  );
  const lessons = listOf(fields['occurrences'])
    .map(fieldsOf)
    .map((each): Lesson => {
      const id = textOf(each['series']);
      return {
        series: id,
        key: textOf(each['key']),
        title: series.get(id)?.title ?? '',
        startsAt: numberOf(each['starts_at']) ?? 0,
        endsAt: numberOf(each['ends_at']) ?? 0,
        repeats: series.get(id)?.repeats ?? false,
      };
    });
  const collisions = listOf(fields['conflicts'])
    .map(fieldsOf)
    .flatMap(({ first, second }) => [fieldsOf(first), fieldsOf(second)])
    .map((each) => collisionKey(textOf(each['series']), textOf(each['key'])));
  return { lessons, collisions: new Set(collisions) };
}

const path = (tutor: string): string => `/schedule/${encodeURIComponent(tutor)}`;

export const schedule = {
  /** The lessons of the next four weeks. */
  async load(caller: Caller, tutor: string): Promise<Timetable> {
    return readTimetable(await caller.get(path(tutor)));
  },

  /** The lessons between two moments, at most 400 days apart. */
  async between(caller: Caller, tutor: string, since: number, until: number): Promise<Lesson[]> {
    return readTimetable(await caller.get(`${path(tutor)}?since=${since}&until=${until}`)).lessons;
  },

  /** Add a series; returns how many of its lessons collide with others. */
  async add(caller: Caller, tutor: string, series: NewSeries): Promise<number> {
    const { title, starts, zone, durationS } = series;
    const body = { title, starts, time_zone: zone, duration_s: durationS, rule: ruleOf(series) };
    return listOf((await caller.post(`${path(tutor)}/series`, body))['conflicts']).length;
  },

  async cancelOne(caller: Caller, tutor: string, { series, key }: Lesson): Promise<void> {
    await caller.post(`${path(tutor)}/series/${series}/occurrences/${encodeURIComponent(key)}/cancel`);
  },

  async remove(caller: Caller, tutor: string, series: string): Promise<void> {
    await caller.delete(`${path(tutor)}/series/${series}`);
  },

  /** Start the session of a lesson; returns its id. */
  async start(caller: Caller, { title }: Lesson): Promise<string> {
    const { id } = await sessions.create(caller, { title, knock: true, guests: false });
    await caller.post(`${pathOf(id)}/start`);
    return id;
  },

  /** The URL of the caller's private calendar. */
  async calendar(caller: Caller): Promise<string> {
    return textOf((await caller.post('/me/calendar'))['url']);
  },
};
