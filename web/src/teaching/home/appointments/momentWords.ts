import { dayIn } from '../../../client/classroom/school/appointments';
import { dateWords, timeOfDay } from '../../../client/text/catalogue';

/** A moment in words in a time zone, such as Monday 30 November, 14:05. */
export function momentWords(atS: number, zone: string): string {
  const day = dateWords(dayIn(atS, zone), { weekday: 'long', day: 'numeric', month: 'long' });
  return `${day}, ${timeOfDay(atS * 1000, zone)}`;
}
