import { useCallback, useState } from 'react';

import { server, type LogItem, type MeetingItem } from '../../client/admin/server';
import { dateAndTime, timeOfDay } from '../../client/text/catalogue';
import { s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { useLoaded, type AdminProps } from './parts';

/** The last meetings, and the event log of each. */
export function LogPart({ caller, attempt }: AdminProps) {
  const load = useCallback(() => server.meetings(caller), [caller]);
  const { value, again } = useLoaded(load, attempt);
  return (
    <>
      <Button testId="log-again" onPress={() => void again()}>
        {s('admin.reload')}
      </Button>
      {value?.length === 0 && <p className="soft">{s('admin.noMeetings')}</p>}
      <ul className="admin-list">
        {value?.map((meeting) => (
          <Meeting key={meeting.sid} meeting={meeting} caller={caller} attempt={attempt} />
        ))}
      </ul>
    </>
  );
}

function Meeting({ meeting, caller, attempt }: AdminProps & { meeting: MeetingItem }) {
  const [entries, setEntries] = useState<LogItem[]>();
  const { sid, room, startedAt, endedAt } = meeting;
  const open = (): void => void attempt(async () => setEntries(await server.log(caller, sid)));
  return (
    <li className="card" data-testid="admin-meeting" data-room={room}>
      <details onToggle={({ currentTarget }) => currentTarget.open && open()}>
        <summary>
          <strong>{room}</strong>{' '}
          <span className="soft">
            {dateAndTime(startedAt)} – {endedAt === undefined ? s('admin.running') : dateAndTime(endedAt)}
          </span>
        </summary>
        <ol className="admin-log" data-testid="admin-entries">
          {entries?.map(({ seq, at, kind, data }) => (
            <li key={seq}>
              <span className="soft">{timeOfDay(at * 1000)}</span> <strong>{kind}</strong> <code>{data}</code>
            </li>
          ))}
        </ol>
      </details>
    </li>
  );
}
