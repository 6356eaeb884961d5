import {
  linePoints,
  linkVerdict,
  type RoomNow,
  type Sample,
  type ServerNow,
} from '../../client/admin/server';
import { clock } from '../../client/classroom/time';
import { s } from '../../client/text/sessions/texts';
import { SAMPLES } from './useServer';
import { TableScroll } from '../../ui/surfaces/TableScroll';

const WIDTH = 240;
const HEIGHT = 64;

/** Rooms and people now, the load of each worker, and the last minutes as charts. */
export function NowPart({ now, samples }: { now: ServerNow; samples: readonly Sample[] }) {
  return (
    <>
      <div className="admin-charts">
        <Chart
          title={s('admin.people')}
          value={now.personCount}
          values={samples.map(({ people }) => people)}
        />
        <Chart title={s('admin.rooms')} value={now.roomCount} values={samples.map(({ rooms }) => rooms)} />
        {now.workers.map((worker, index) => (
          <Chart
            key={index}
            title={s('admin.worker', { number: index + 1 })}
            value={Math.round(samples.at(-1)?.forwarded[index] ?? 0)}
            values={samples.map(({ forwarded }) => forwarded[index])}
            detail={s('admin.workerDetail', {
              peers: worker.peers,
              again: worker.retransmitted,
              dropped: worker.dropped,
            })}
          />
        ))}
      </div>
      {(now.eventLogWaiting > 0 || now.webhooksWaiting > 0) && (
        <p className="soft">
          {s('admin.waiting', { entries: now.eventLogWaiting, webhooks: now.webhooksWaiting })}
        </p>
      )}
      <h2>{s('admin.rooms')}</h2>
      {now.rooms.length === 0 && <p className="soft">{s('admin.noRooms')}</p>}
      <ul className="admin-list">
        {now.rooms.map((room) => (
          <Room key={room.sid} room={room} at={now.at} />
        ))}
      </ul>
      {now.roomCount > now.rooms.length && (
        <p className="soft">{s('admin.moreRooms', { count: now.roomCount - now.rooms.length })}</p>
      )}
    </>
  );
}

function Room({ room, at }: { room: RoomNow; at: number }) {
  const troubled = room.people.filter((person) => linkVerdict(person) !== 'good').length;
  return (
    <li className="card" data-testid="admin-room" data-name={room.name}>
      <details>
        <summary>
          <strong>{room.name}</strong>{' '}
          <span className="soft">
            {s('admin.roomDetail', { count: room.count, time: clock(at - room.createdAt) })}
            {room.recorded && ` · ${s('admin.recorded')}`}
            {troubled > 0 && ` · ${s('admin.troubled', { count: troubled })}`}
          </span>
        </summary>
        <TableScroll label={room.name}>
          <table>
            <thead>
              <tr>
                <th scope="col">{s('admin.name')}</th>
                <th scope="col">{s('admin.since')}</th>
                <th scope="col">{s('admin.tracks')}</th>
                <th scope="col">{s('admin.link')}</th>
              </tr>
            </thead>
            <tbody>
              {room.people.map((person) => (
                <tr key={person.identity}>
                  <th scope="row">{person.name}</th>
                  <td>{clock(at - person.joinedAt)}</td>
                  <td>{person.tracks}</td>
                  <td>
                    {s(`admin.link.${linkVerdict(person)}`)}
                    {person.kbps !== undefined && ` · ${Math.round(person.kbps)} kbit/s`}
                    {person.lossPercent > 0 && ` · ${s('admin.loss', { percent: person.lossPercent })}`}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
      </details>
    </li>
  );
}

interface ChartProps {
  title: string;
  value: number;
  values: readonly (number | undefined)[];
  detail?: string;
}

/** A figure and its last minutes; its largest value is at the top of the line. */
function Chart({ title, value, values, detail }: ChartProps) {
  return (
    <figure className="card admin-chart">
      <figcaption>
        {title} <strong>{value}</strong>
      </figcaption>
      <svg viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`} preserveAspectRatio="none" aria-hidden focusable="false">
        <polyline points={linePoints(values, WIDTH, HEIGHT, SAMPLES)} />
      </svg>
      {detail !== undefined && <p className="soft">{detail}</p>}
    </figure>
  );
}
