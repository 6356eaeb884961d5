/** Durations for people, days of sessions, and local times of a time zone. */
import type { Summary } from './sessions';
import { isBefore, isOpen } from './sessions';

/** A duration in hours, minutes and seconds, such as 1:05:09 or 0:42. */
export function clock(seconds: number): string {
  const whole = Math.max(Math.floor(seconds), 0);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number): string => String(part).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export interface Agenda {
  today: Summary[];
  upcoming: Summary[];
  past: Summary[];
}

/** Sort sessions by day: running ones are today's, the next first, the latest past one first. `startOfDayS`: of this page's day. */
export function agenda(sessions: readonly Summary[], startOfDayS: number): Agenda {
  const endOfDayS = startOfDayS + 86_400;
  const found: Agenda = { today: [], upcoming: [], past: [] };
  for (const session of sessions) {
    if (isOpen(session.phase)) found.today.push(session);
    else if (isBefore(session.phase)) {
      const at = session.startsAt ?? session.createdAt;
      (at < endOfDayS ? found.today : found.upcoming).push(session);
    } else found.past.push(session);
  }
  const at = ({ startsAt, startedAt, createdAt }: Summary): number => startedAt ?? startsAt ?? createdAt;
  const running = ({ phase }: Summary): number => Number(!isOpen(phase));
  found.today.sort((a, b) => running(a) - running(b) || at(a) - at(b));
  found.upcoming.sort((a, b) => at(a) - at(b));
  found.past.sort((a, b) => at(b) - at(a));
  return found;
}

/**
 * The moment of a local time such as `2026-11-30T09:15` in an IANA time zone, in seconds since 1970; undefined unless both
 * are valid. Of a time that occurs twice, the first; a skipped time is moved forward, as in RFC 5545 (3.3.5).
 */
export function momentOf(local: string, zone: string): number | undefined {
  const wanted = Date.parse(`${local}Z`);
  if (Number.isNaN(wanted)) return undefined;
  try {
    // The offset changes at most once within a day, so one of the offsets a day before and after is right.
    const offsets = [offsetMs(wanted - 86_400_000, zone), offsetMs(wanted + 86_400_000, zone)];
    const fits = offsets.find((offset) => offsetMs(wanted - offset, zone) === offset);
    return (wanted - (fits ?? offsets[0] ?? 0)) / 1000;
  } catch {
    return undefined;
  }
}

/** A moment as local time in an IANA time zone, as a date and time field has it; seconds only where there are some. */
export function localOf(atS: number, zone: string): string {
  const local = new Date(atS * 1000 + offsetMs(atS * 1000, zone)).toISOString();
  return local.slice(0, local.slice(17, 19) === '00' ? 16 : 19);
}

/** The offset of a zone from UTC at a moment. */
function offsetMs(atMs: number, zone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  const parts = Object.fromEntries(
    format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000;
}
