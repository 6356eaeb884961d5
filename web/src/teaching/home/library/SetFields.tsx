import type { ReactNode } from 'react';

import {
  MOST_PARTS,
  movedPart,
  NEW_EXERCISE,
  NEW_POLL,
  type Entry,
  type Part,
  type SetItem,
} from '../../../client/classroom/school/library';
import { p } from '../../../client/text/planning/texts';
import { named } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { TextField } from '../../../ui/controls/TextField';

interface SetFieldsProps {
  set: SetItem;
  /** Items of the library, of which exercises and polls can be copied into the set. */
  entries: readonly Entry[];
  onChange: (set: SetItem) => void;
  onCopy: (id: string) => void;
  /** The fields of a part. */
  children: (part: Part, at: number) => ReactNode;
}

/** The fields of a set: its title, and its exercises and polls in order. */
export function SetFields({ set, entries, onChange, onCopy, children }: SetFieldsProps) {
  const { items } = set;
  const setItems = (changed: readonly Part[]): void => onChange({ ...set, items: changed });
  const parts = entries.filter(({ kind }) => kind !== 'set');
  return (
    <>
      <TextField
        id="item-title"
        label={p('library.name')}
        maxLength={200}
        value={set.title}
        onChange={(title) => onChange({ ...set, title })}
      />
      {items.map((part, at) => {
        const title = p('library.part', { number: at + 1, kind: p(`library.${part.kind}`) });
        return (
          // Parts have no identity but their place.
          <fieldset key={at} className="set-part fields" data-testid="part" data-kind={part.kind}>
            <legend>{title}</legend>
            {children(part, at)}
            <div className="actions">
              <Button
                look="quiet"
                testId="part-up"
                label={named(p('library.up'), title)}
                disabled={at === 0}
                onPress={() => setItems(movedPart(items, at, -1))}
              >
                {p('library.up')}
              </Button>
              <Button
                look="quiet"
                testId="part-down"
                label={named(p('library.down'), title)}
                disabled={at === items.length - 1}
                onPress={() => setItems(movedPart(items, at, 1))}
              >
                {p('library.down')}
              </Button>
              <Button
                look="quiet"
                testId="part-remove"
                label={named(p('library.partRemove'), title)}
                onPress={() => setItems(items.filter((_, index) => index !== at))}
              >
                {p('library.partRemove')}
              </Button>
            </div>
          </fieldset>
        );
      })}
      {items.length < MOST_PARTS && (
        <>
          <div className="actions">
            <Button testId="part-exercise" onPress={() => setItems([...items, NEW_EXERCISE])}>
              {p('library.addExercise')}
            </Button>
            <Button testId="part-poll" onPress={() => setItems([...items, NEW_POLL])}>
              {p('library.addPoll')}
            </Button>
          </div>
          {parts.length > 0 && (
            <div className="field">
              <label htmlFor="part-copy">{p('library.copy')}</label>
              <select
                id="part-copy"
                data-testid="part-copy"
                value=""
                onChange={({ target }) => onCopy(target.value)}
              >
                <option value="">{p('library.choose')}</option>
                {parts.map(({ id, title }) => (
                  <option key={id} value={id}>
                    {title}
                  </option>
                ))}
              </select>
            </div>
          )}
        </>
      )}
    </>
  );
}
