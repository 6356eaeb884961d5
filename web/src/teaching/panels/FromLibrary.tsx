import { useState } from 'react';

import { Caller } from '../../client/classroom/call';
import { library, type Entry } from '../../client/classroom/school/library';
import { recallSignIn, storage } from '../../client/storage';
import { p } from '../../client/text/planning/texts';
import { named } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { useLive } from '../live/context';

/** What a tutor's library has, to be copied into the session. */
export function FromLibrary() {
  const { session, wire } = useLive();
  // The token of a session opens no library; the person's sign-in does, which is empty where it is a cookie.
  const [caller] = useState(() => new Caller(recallSignIn(storage('sessionStorage'))));
  const [entries, setEntries] = useState<readonly Entry[]>();
  const [next, setNext] = useState('');
  const [used, setUsed] = useState('');
  const load = (cursor: string): void =>
    void wire.run(async () => {
      const page = await library.page(caller, cursor);
      setEntries((before) => [...(cursor === '' ? [] : (before ?? [])), ...page.entries]);
      setNext(page.next);
    });
  const use = ({ id, title }: Entry): void =>
    void wire.run(async () => {
      await library.use(caller, session.id, id);
      setUsed(title);
    });
  return (
    <details
      className="new-item"
      onToggle={({ currentTarget }) => {
        if (currentTarget.open) load('');
      }}
    >
      <summary data-testid="from-library">{p('library.use')}</summary>
      {entries?.length === 0 && <p className="soft">{p('library.empty')}</p>}
      <ul className="panel-list">
        {entries?.map((entry) => (
          <li key={entry.id} className="panel-item" data-testid="library-entry">
            <p className="item-title">{entry.title}</p>
            <p className="soft">{p(`library.${entry.kind}`)}</p>
            <Button
              testId="library-use"
              label={named(p('library.useItem'), entry.title)}
              onPress={() => use(entry)}
            >
              {p('library.useItem')}
            </Button>
          </li>
        ))}
      </ul>
      {next !== '' && (
        <Button look="quiet" onPress={() => load(next)}>
          {p('library.more')}
        </Button>
      )}
      <p role="status">{used !== '' && p('library.used', { title: used })}</p>
    </details>
  );
}
