import { useState, type ReactNode, type SyntheticEvent } from 'react';

import { Problem } from '../../../client/classroom/call';
import type { Watcher } from '../../../client/classroom/sendBody';
import {
  filesOf,
  itemFault,
  library,
  titleOf,
  type Entry,
  type Item,
  type ItemKind,
  type LibraryFile,
  type Part,
  type StoredItem,
} from '../../../client/classroom/school/library';
import { t } from '../../../client/text/catalogue';
import { p } from '../../../client/text/planning/texts';
import { s } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { saveBlob } from '../../saveBlob';
import { CardProblem } from '../account/CardProblem';
import { useAttempt, type CardProps } from '../account/useAttempt';
import { ExerciseFields } from './ExerciseFields';
import { PollFields } from './PollFields';
import { SetFields } from './SetFields';

interface ItemFormProps extends CardProps {
  /** A new item, or a stored one of which the next version is written. */
  item: Item | StoredItem;
  entries: readonly Entry[];
  files: readonly LibraryFile[];
  onSaved: (title: string) => Promise<void>;
  onCancel: () => void;
}

export const NEW_TITLES = {
  exercise: 'library.new',
  poll: 'library.newPoll',
  set: 'library.newSet',
} as const satisfies Record<ItemKind, string>;
const EDIT_TITLES = {
  exercise: 'library.editing',
  poll: 'library.editingPoll',
  set: 'library.editingSet',
} as const satisfies Record<ItemKind, string>;

/** Writes a new exercise, poll or set, or the next version of a stored one. */
export function ItemForm({ caller, onSignedOut, item, entries, files, onSaved, onCancel }: ItemFormProps) {
  const stored = 'id' in item ? item : undefined;
  const first = 'id' in item ? item.content : item;
  const [content, setContent] = useState(first);
  // Files that were sent from this form, which no item names yet.
  const [sent, setSent] = useState<readonly LibraryFile[]>([]);
  const { attempt, busy, problem, setProblem } = useAttempt(onSignedOut);
  const [uploads, setUploads] = useState(0);
  const attach = async (at: number, file: File, watcher: Watcher): Promise<void> => {
    setUploads((before) => before + 1);
    try {
      const added = await library.sendFile(caller, file, watcher);
      setSent((before) => [...before, added]);
      setContent((before) => withFile(before, at, added.id));
    } finally {
      setUploads((before) => before - 1);
    }
  };
  const setPart = (at: number, part: Part): void => setContent((before) => withPart(before, at, part));
  const drop = async (gone: readonly string[], kept: Item): Promise<void> => {
    const named = new Set(filesOf(kept));
    for (const id of gone) if (!named.has(id)) await library.dropFile(caller, id);
  };
  const sentIds = sent.map(({ id }) => id);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const fault = itemFault(content);
    if (fault !== undefined) {
      setProblem(FAULTS[fault]());
      return;
    }
    let refusal = '';
    void attempt(async () => {
      try {
        if (stored === undefined) await library.add(caller, content);
        else await library.change(caller, { ...stored, content });
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'changed_meanwhile') throw error;
        refusal = p('library.changed');
        return;
      }
      // What is no longer named: files that were sent here, and those of the version before.
      await drop([...sentIds, ...filesOf(first)], content);
      await onSaved(titleOf(content));
    }).then(() => {
      if (refusal !== '') setProblem(refusal);
    });
  };
  const fieldsOf = (part: Part, at: number, id: string): ReactNode =>
    part.kind === 'poll' ? (
      <PollFields id={id} poll={part} onChange={(poll) => setPart(at, poll)} />
    ) : (
      <ExerciseFields
        id={id}
        exercise={part}
        attached={[...sent, ...files].find((file) => file.id === part.file)}
        busy={busy}
        onChange={(exercise) => setPart(at, exercise)}
        onAttach={(file, watcher) => attach(at, file, watcher)}
        onLoad={(file) =>
          void attempt(async () => saveBlob(await library.loadFile(caller, file.id), file.name))
        }
      />
    );
  return (
    <form className="card fields" onSubmit={submit} noValidate data-testid="item-form">
      <h2>{p((stored === undefined ? NEW_TITLES : EDIT_TITLES)[content.kind])}</h2>
      {content.kind === 'set' ? (
        <SetFields
          set={content}
          entries={entries}
          onChange={setContent}
          onCopy={(id) =>
            void attempt(async () => {
              const copied = (await library.item(caller, id)).content;
              setContent((before) => withCopy(before, copied));
            })
          }
        >
          {(part, at) => fieldsOf(part, at, `part-${at}`)}
        </SetFields>
      ) : (
        fieldsOf(content, 0, 'item')
      )}
      <CardProblem problem={problem} testId="item-problem" />
      <div className="actions">
        <Button submit look="primary" testId="item-save" disabled={busy || uploads > 0}>
          {p('library.save')}
        </Button>
        <Button
          look="quiet"
          testId="item-cancel"
          disabled={busy}
          onPress={() => void attempt(() => drop(sentIds, first)).finally(onCancel)}
        >
          {t('action.cancel')}
        </Button>
      </div>
    </form>
  );
}

const FAULTS = {
  title: () => p('library.noTitle'),
  link: () => p('library.badLink'),
  poll: () => s('poll.missing'),
  set: () => p('library.emptySet'),
} as const;

/** An item with another part: of a set the one at this place, otherwise the item itself. */
function withPart(item: Item, at: number, part: Part): Item {
  if (item.kind !== 'set') return part;
  return { ...item, items: item.items.map((each, index) => (index === at ? part : each)) };
}

function withFile(item: Item, at: number, file: string): Item {
  const part = item.kind === 'set' ? item.items[at] : item;
  // The part may have been moved or removed while its file was sent.
  return part?.kind === 'exercise' ? withPart(item, at, { ...part, file }) : item;
}

function withCopy(item: Item, copied: Item): Item {
  return item.kind === 'set' && copied.kind !== 'set' ? { ...item, items: [...item.items, copied] } : item;
}
