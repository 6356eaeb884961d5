import { memo } from 'react';

import { clock } from '../client/classroom/time';
import type { ChapterNotes, Note } from '../client/recordings/notes';
import { r } from '../client/text/replay/texts';

interface NotesProps {
  chapters: readonly ChapterNotes[];
  names: ReadonlyMap<string, string>;
  onJump: (timeS: number) => void;
}

/** Notes, chapter by chapter; a click on one jumps to its moment. Those by a model are marked as such. */
export const Notes = memo(function Notes({ chapters, names, onJump }: NotesProps) {
  const origin = ({ byModel, person }: Note): string =>
    byModel ? r('notes.byModel') : (names.get(person) ?? r('log.somebody'));
  return (
    <section className="replay-log card" aria-label={r('notes.title')}>
      <h2>{r('notes.title')}</h2>
      <div className="replay-notes" data-testid="replay-notes">
        {chapters.map(({ startS, title, notes }) => (
          <section key={startS}>
            {title !== '' && <h3>{title}</h3>}
            <ul>
              {notes.map((note) => (
                <li key={`${note.atS} ${note.text}`}>
                  <button
                    type="button"
                    className="replay-line"
                    data-testid="replay-noted"
                    data-origin={note.byModel ? 'model' : 'said'}
                    onClick={() => onJump(note.atS)}
                  >
                    <span className="soft">{r('log.at', { time: clock(note.atS), name: origin(note) })}</span>
                    <span className="replay-line-text">{note.text}</span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </section>
  );
});
