import '../../../styles/account.css';
import '../../../styles/planning.css';

import { useCallback, useEffect, useState } from 'react';

import type { Caller } from '../../../client/classroom/call';
import {
  filesOf,
  ITEM_KINDS,
  library,
  NEW_ITEMS,
  type Entry,
  type Item,
  type LibraryFile,
  type StoredItem,
} from '../../../client/classroom/school/library';
import { t } from '../../../client/text/catalogue';
import { p } from '../../../client/text/planning/texts';
import { named } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { Dialog } from '../../../ui/surfaces/Dialog';
import { CardProblem } from '../account/CardProblem';
import { useAttempt } from '../account/useAttempt';
import { ItemForm, NEW_TITLES } from './ItemForm';

interface LibraryPageProps {
  caller: Caller;
  onSignedOut: () => void;
}

/** A tutor's library: exercises, polls and sets are written, changed and deleted here. */
export function LibraryPage({ caller, onSignedOut }: LibraryPageProps) {
  const { attempt, busy, problem } = useAttempt(onSignedOut);
  const { entries, files, next, load, more } = useLibrary(caller);
  const [edited, setEdited] = useState<Item | StoredItem>();
  const [removing, setRemoving] = useState<Entry>();
  const [notice, setNotice] = useState('');
  useEffect(() => {
    const first = window.setTimeout(() => void attempt(load));
    return () => window.clearTimeout(first);
  }, [attempt, load]);
  const remove = ({ id, title }: Entry): void => {
    setRemoving(undefined);
    void attempt(async () => {
      const named = filesOf((await library.item(caller, id)).content);
      await library.remove(caller, id);
      for (const file of named) await library.dropFile(caller, file);
      setNotice(p('library.removed', { title }));
      await load();
    });
  };
  const edit = (id: string): void => {
    setNotice('');
    void attempt(async () => setEdited(await library.item(caller, id)));
  };
  return (
    <div className="account" data-testid="library-page">
      <h1>{p('library.title')}</h1>
      <p className="soft">{p('library.explain')}</p>
      <p role="status" className={notice === '' ? undefined : 'good-news'} data-testid="library-notice">
        {notice}
      </p>
      <CardProblem problem={problem} testId="library-problem" />
      <div className="account-cards">
        {edited === undefined ? (
          <section className="card fields">
            <div className="actions">
              {ITEM_KINDS.map((kind) => (
                <Button
                  key={kind}
                  look={kind === 'exercise' ? 'primary' : 'plain'}
                  testId={kind === 'exercise' ? 'library-new' : `library-new-${kind}`}
                  onPress={() => {
                    setNotice('');
                    setEdited(NEW_ITEMS[kind]);
                  }}
                >
                  {p(NEW_TITLES[kind])}
                </Button>
              ))}
            </div>
          </section>
        ) : (
          <ItemForm
            caller={caller}
            onSignedOut={onSignedOut}
            item={edited}
            entries={entries ?? []}
            files={files}
            onSaved={async (title) => {
              setEdited(undefined);
              setNotice(p('library.saved', { title }));
              await attempt(load);
            }}
            onCancel={() => setEdited(undefined)}
          />
        )}
        <section className="card fields" aria-busy={entries === undefined}>
          {entries?.length === 0 && <p data-testid="library-empty">{p('library.empty')}</p>}
          <ul className="bans">
            {entries?.map((entry) => (
              <li key={entry.id} data-testid="library-item" data-kind={entry.kind}>
                <div>
                  <strong>{entry.title}</strong>
                  <p className="soft">{p(`library.${entry.kind}`)}</p>
                </div>
                <Button
                  testId="library-edit"
                  label={named(p('library.edit'), entry.title)}
                  disabled={busy || edited !== undefined}
                  onPress={() => edit(entry.id)}
                >
                  {p('library.edit')}
                </Button>
                <Button
                  look="quiet"
                  testId="library-remove"
                  label={named(p('library.remove'), entry.title)}
                  disabled={busy}
                  onPress={() => setRemoving(entry)}
                >
                  {p('library.remove')}
                </Button>
              </li>
            ))}
          </ul>
          {next !== '' && (
            <Button testId="library-more" disabled={busy} onPress={() => void attempt(more)}>
              {p('library.more')}
            </Button>
          )}
        </section>
      </div>
      {removing !== undefined && (
        <Dialog
          title={p('library.removeAsk', { title: removing.title })}
          role="alertdialog"
          testId="library-dialog"
          onClose={() => setRemoving(undefined)}
        >
          <p>{p('library.removeDetail')}</p>
          <div className="actions">
            <Button look="danger" testId="library-remove-confirm" onPress={() => remove(removing)}>
              {p('library.remove')}
            </Button>
            <Button firstFocus onPress={() => setRemoving(undefined)}>
              {t('action.cancel')}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

/** The items and files of the library; `more` adds the next page of items. */
function useLibrary(caller: Caller) {
  const [entries, setEntries] = useState<readonly Entry[]>();
  const [files, setFiles] = useState<readonly LibraryFile[]>([]);
  const [next, setNext] = useState('');
  const load = useCallback(async () => {
    const [page, found] = await Promise.all([library.page(caller), library.files(caller)]);
    setEntries(page.entries);
    setNext(page.next);
    setFiles(found);
  }, [caller]);
  const more = useCallback(async () => {
    const page = await library.page(caller, next);
    setEntries((before) => [...(before ?? []), ...page.entries]);
    setNext(page.next);
  }, [caller, next]);
  return { entries, files, next, load, more };
}
