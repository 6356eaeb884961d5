import { clock } from '../../client/classroom/time';
import { s } from '../../client/text/sessions/texts';
import { useLive, useServerNow } from './context';

/** Whether a person's connection is lost or the person is away; otherwise the time of this visit and of all visits. For staff. */
export function PersonTimes({ person, short = false }: { person: string; short?: boolean }) {
  const { state } = useLive();
  const lost = state.people.present.some(({ id, lostAt }) => id === person && lostAt !== undefined);
  const times = state.people.times[person];
  if (lost) return <span className={short ? undefined : 'student-lost'}>{s('student.lost')}</span>;
  if (times === undefined) return null;
  if (times.idle) return s('student.idle');
  return <Here since={times.since} beforeS={times.beforeS} short={short} />;
}

interface HereProps {
  since: number;
  beforeS: number;
  short: boolean;
}

function Here({ since, beforeS, short }: HereProps) {
  const hereS = useServerNow() - since;
  const [time, total] = [clock(hereS), clock(hereS + beforeS)];
  const isFirst = beforeS < 1;
  if (short) return isFirst ? time : `${time} · ${total}`;
  return isFirst ? s('student.here', { time }) : s('student.total', { time, total });
}
