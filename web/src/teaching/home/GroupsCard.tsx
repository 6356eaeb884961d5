import { useCallback, useState, type SyntheticEvent } from 'react';

import { studyGroups, type StudyGroup } from '../../client/classroom/school/people';
import { placePath } from '../../client/classroom/place';
import { named, s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { TextField } from '../../ui/controls/TextField';
import type { PartProps } from './parts';
import { usePolled } from './usePolled';

/** Study groups: create one, join, leave, meet. */
export function GroupsCard({ caller, me, attempt }: PartProps) {
  const load = useCallback(() => studyGroups.list(caller, me.person), [caller, me.person]);
  const { value = [], again } = usePolled(load);
  const [name, setName] = useState('');
  const run = (call: () => Promise<void>): void =>
    void attempt(async () => {
      await call();
      await again();
    });
  const found = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (name.trim() === '') return;
    run(async () => {
      await studyGroups.found(caller, name.trim());
      setName('');
    });
  };
  const meet = (group: StudyGroup): void =>
    run(async () => {
      const id = await studyGroups.meet(caller, group.id);
      window.location.assign(placePath({ kind: 'session', id }));
    });
  return (
    <section className="card fields" data-testid="groups">
      <h2>{s('group.title')}</h2>
      {value.length === 0 && <p className="soft">{s('group.none')}</p>}
      <ul className="queue">
        {value.map((group) => (
          <li key={group.id} data-testid="group" data-name={group.name}>
            <span>
              <strong>{group.name}</strong>{' '}
              <span className="soft">{s('group.count', { count: group.count, all: group.capacity })}</span>
            </span>
            {group.member && (
              <>
                <Button
                  look="primary"
                  label={named(s('group.meet'), group.name)}
                  testId="group-meet"
                  onPress={() => meet(group)}
                >
                  {s('group.meet')}
                </Button>
                <Button
                  look="quiet"
                  label={named(s('group.leave'), group.name)}
                  testId="group-leave"
                  onPress={() => run(() => studyGroups.command(caller, group.id, 'leave'))}
                >
                  {s('group.leave')}
                </Button>
              </>
            )}
            {!group.member && group.open && group.count < group.capacity && (
              <Button
                look="quiet"
                label={named(s('group.join'), group.name)}
                testId="group-join"
                onPress={() => run(() => studyGroups.command(caller, group.id, 'join'))}
              >
                {s('group.join')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <form className="fields" onSubmit={found}>
        <TextField id="group-name" label={s('group.name')} maxLength={100} value={name} onChange={setName} />
        <Button submit testId="group-found" disabled={name.trim() === ''}>
          {s('group.found')}
        </Button>
      </form>
    </section>
  );
}
