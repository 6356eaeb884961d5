import { memo, useEffect, useRef } from 'react';

import type { Mark } from '../client/recordings/replay';
import { clock } from '../client/classroom/time';
import { r } from '../client/text/replay/texts';

interface LogProps {
  /** The lines written up to the current time. */
  lines: readonly Mark[];
  names: ReadonlyMap<string, string>;
  onJump: (timeS: number) => void;
}

/** The chat and questions, up to the current time. */
export const Log = memo(function Log({ lines, names, onJump }: LogProps) {
  const end = useRef<HTMLLIElement>(null);
  const last = lines.at(-1)?.seq;
  useEffect(() => {
    // Not as the effect's result: newer browsers return a promise.
    end.current?.scrollIntoView({ block: 'nearest' });
  }, [last]);
  return (
    <section className="replay-log card" aria-label={r('log.title')}>
      <h2>{r('log.title')}</h2>
      {lines.length === 0 && <p className="soft">{r('log.empty')}</p>}
      <ul data-testid="replay-log">
        {lines.map((mark) => (
          <li key={`${mark.kind} ${mark.id}`} ref={mark.seq === last ? end : undefined}>
            <button
              type="button"
              className="replay-line"
              data-testid="replay-line"
              data-kind={mark.kind}
              onClick={() => onJump(Math.max(mark.atS, 0))}
            >
              <span className="soft">
                {r('log.at', {
                  time: clock(mark.atS),
                  name: names.get(mark.by) ?? r('log.somebody'),
                })}
                {mark.kind !== 'chat' && ` · ${kindWords(mark.kind)}`}
              </span>
              <span className="replay-line-text">{mark.text}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
});

function kindWords(kind: string): string {
  if (kind === 'question') return r('log.question');
  return kind === 'answer' ? r('log.answer') : r('log.poll');
}
