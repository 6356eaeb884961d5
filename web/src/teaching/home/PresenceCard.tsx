import { useCallback, useState } from 'react';

import { presence, STATUSES, type Status } from '../../client/classroom/school/people';
import { s } from '../../client/text/sessions/texts';
import type { PartProps } from './parts';
import { usePolled } from './usePolled';

const EVERY_MS = 30_000;

/** The people who are online, and how others see the user. While this card is on the page, the user is online. */
export function PresenceCard({ caller, me, attempt }: PartProps) {
  const load = useCallback(async () => {
    const own = await presence.beat(caller);
    return { own, online: await presence.online(caller) };
  }, [caller]);
  const { value, again } = usePolled(load, EVERY_MS);
  const [wanted, setWanted] = useState<Status>();
  const own = wanted ?? value?.own ?? 'online';
  const others = (value?.online ?? []).filter(({ person }) => person !== me.person);
  const change = (status: Status): void => {
    setWanted(status);
    void attempt(async () => {
      await presence.setStatus(caller, status);
      await again();
    });
  };
  return (
    <section className="card fields" data-testid="presence">
      <h2>{s('presence.title')}</h2>
      <div className="field">
        <label htmlFor="own-status">{s('presence.own')}</label>
        <select
          id="own-status"
          data-testid="own-status"
          value={own}
          onChange={({ target }) => change(STATUSES.find((each) => each === target.value) ?? 'online')}
        >
          {STATUSES.map((status) => (
            <option key={status} value={status}>
              {s(`presence.${status}`)}
            </option>
          ))}
        </select>
      </div>
      {others.length === 0 && <p className="soft">{s('presence.nobody')}</p>}
      <ul className="queue">
        {others.map(({ person, name, status, activity }) => (
          <li key={person} data-testid="online-person" data-status={status}>
            <span className={`presence-dot presence-${status}`} aria-hidden="true" />
            <span>
              <strong>{name}</strong> <span className="soft">{s(`presence.${status}`)}</span>
              {activity !== '' && <span className="soft"> · {activity}</span>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
