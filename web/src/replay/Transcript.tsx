import { memo, useEffect, useRef, useState, type SyntheticEvent } from 'react';

import type { Caller } from '../client/classroom/call';
import { replayPath } from '../client/classroom/place';
import { clock } from '../client/classroom/time';
import { transcripts, type Hit, type SpokenLine } from '../client/recordings/transcript';
import { r } from '../client/text/replay/texts';

interface TranscriptProps {
  caller: Caller;
  lines: readonly SpokenLine[];
  /** Index of the line being spoken. */
  current: number;
  names: ReadonlyMap<string, string>;
  onJump: (timeS: number) => void;
}

/** What was said; the line being spoken is marked, and a click on a line jumps to it. */
export const Transcript = memo(function Transcript({
  caller,
  lines,
  current,
  names,
  onJump,
}: TranscriptProps) {
  const spoken = useRef<HTMLLIElement>(null);
  useEffect(() => {
    spoken.current?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  return (
    <section className="replay-log card" aria-label={r('transcript.title')}>
      <h2>{r('transcript.title')}</h2>
      <Search caller={caller} />
      <ul data-testid="replay-transcript">
        {lines.map((line, index) => (
          <li key={`${line.startS} ${line.person}`} ref={index === current ? spoken : undefined}>
            <button
              type="button"
              className="replay-line"
              data-testid="replay-spoken"
              aria-current={index === current ? 'time' : undefined}
              onClick={() => onJump(line.startS)}
            >
              <span className="soft">
                {r('log.at', { time: clock(line.startS), name: names.get(line.person) ?? r('log.somebody') })}
              </span>
              <span className="replay-line-text">{line.text}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
});

const MIN_CHARS = 2;

/** Searches all recordings that the caller may watch. */
function Search({ caller }: { caller: Caller }) {
  const [words, setWords] = useState('');
  const [hits, setHits] = useState<readonly Hit[] | undefined>();
  const search = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (words.trim().length < MIN_CHARS) return;
    transcripts
      .search(caller, words.trim())
      .then(setHits)
      .catch(() => setHits([]));
  };
  return (
    <form role="search" onSubmit={search}>
      <input
        type="search"
        className="replay-search"
        value={words}
        aria-label={r('transcript.search')}
        placeholder={r('transcript.search')}
        data-testid="replay-search"
        onChange={(event) => {
          setWords(event.target.value);
          if (event.target.value === '') setHits(undefined);
        }}
      />
      <p role="status" className="soft">
        {hits?.length === 0 ? r('transcript.none') : ''}
      </p>
      {hits !== undefined && hits.length > 0 && (
        <ul className="replay-hits">
          {hits.map((hit) => (
            <li key={`${hit.recording} ${hit.atS} ${hit.person}`}>
              <a
                className="replay-line"
                data-testid="replay-hit"
                href={`${replayPath(hit.recording)}#t=${Math.floor(hit.atS)}`}
              >
                <span className="soft">{r('log.at', { time: clock(hit.atS), name: hit.title })}</span>
                <span className="replay-line-text">{hit.text}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </form>
  );
}
