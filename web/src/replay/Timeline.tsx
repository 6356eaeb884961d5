import { memo } from 'react';

import type { Chapter } from '../client/recordings/chapters';
import type { Mark } from '../client/recordings/replay';
import { clock } from '../client/classroom/time';
import { r } from '../client/text/replay/texts';
import { binned, stretches, type Bin } from './timeline';

/** As many marks as a finger can distinguish. */
const MOST_MARKS = 60;

/** Of 320 pixels, each has 24 on average after gaps (WCAG 2.2, 2.5.8: size of targets). */
const MOST_CHAPTERS = 12;

interface TimelineProps {
  timeS: number;
  lengthS: number;
  marks: readonly Mark[];
  names: ReadonlyMap<string, string>;
  chapters: readonly Chapter[];
  onJump: (timeS: number) => void;
}

/** The current time in the recording, and the marks. */
export function Timeline({ timeS, lengthS, marks, names, chapters, onJump }: TimelineProps) {
  const shown = { now: clock(timeS), length: clock(lengthS) };
  return (
    <div className="replay-timeline">
      <Marks lengthS={lengthS} marks={marks} names={names} onJump={onJump} />
      <input
        type="range"
        className="replay-position"
        data-testid="replay-position"
        aria-label={r('player.position')}
        aria-valuetext={r('player.time', shown)}
        min={0}
        max={Math.max(lengthS, 0.1)}
        step={0.1}
        value={Math.min(timeS, lengthS)}
        onChange={(event) => onJump(Number(event.target.value))}
      />
      <Chapters timeS={Math.floor(timeS)} lengthS={lengthS} chapters={chapters} onJump={onJump} />
    </div>
  );
}

const Marks = memo(function Marks({
  lengthS,
  marks,
  names,
  onJump,
}: Omit<TimelineProps, 'timeS' | 'chapters'>) {
  return (
    <div className="replay-marks" role="group" aria-label={r('mark.marks')}>
      {binned(marks, lengthS, MOST_MARKS).map((bin) => {
        const words = `${clock(bin.atS)} · ${binWords(bin, names)}`;
        return (
          <button
            key={bin.marks[0]?.seq}
            type="button"
            // The log beside the stage has the same moments for the keyboard, without sixty tab stops.
            tabIndex={-1}
            className={`replay-mark replay-mark-${bin.kind}`}
            style={{ insetInlineStart: `${(100 * bin.atS) / Math.max(lengthS, 0.1)}%` }}
            title={words}
            aria-label={words}
            data-testid="replay-mark"
            data-kind={bin.kind}
            onClick={() => onJump(bin.atS)}
          />
        );
      })}
    </div>
  );
});

const Chapters = memo(function Chapters({
  timeS,
  lengthS,
  chapters,
  onJump,
}: Omit<TimelineProps, 'marks' | 'names'>) {
  const shown = stretches(chapters, timeS, lengthS, MOST_CHAPTERS);
  if (shown.length === 0) return null;
  return (
    <ol className="replay-chapters" aria-label={r('chapter.chapters')} data-testid="replay-chapters">
      {shown.map(({ chapter, start, width, current }) => {
        const words = chapterWords(chapter);
        return (
          <li key={chapter.startS} style={{ insetInlineStart: `${start}%`, width: `${width}%` }}>
            <button
              type="button"
              className="replay-chapter"
              title={`${clock(chapter.startS)} · ${words}`}
              aria-current={current ? 'true' : undefined}
              data-testid="replay-chapter"
              onClick={() => onJump(chapter.startS)}
            >
              {words}
            </button>
          </li>
        );
      })}
    </ol>
  );
});

function chapterWords({ kind, title, page }: Chapter): string {
  if (kind === 'board') return title === '' ? r('stage.whiteboard') : r('chapter.board', { title });
  if (page > 0)
    return title === '' ? r('chapter.slide', { page }) : r('chapter.slideTitled', { page, title });
  return title === '' ? r('chapter.start') : title;
}

function binWords({ marks }: Bin, names: ReadonlyMap<string, string>): string {
  const first = marks[0];
  if (first === undefined) return '';
  const words = markWords(first, names.get(first.by) ?? r('log.somebody'));
  return marks.length === 1 ? words : `${words} ${r('mark.more', { count: marks.length - 1 })}`;
}

function markWords({ kind, text, page }: Mark, name: string): string {
  switch (kind) {
    case 'join':
      return r('mark.join', { name });
    case 'leave':
      return r('mark.leave', { name });
    case 'question':
      return r('mark.question', { name });
    case 'poll':
      return r('mark.poll', { text });
    case 'slide':
      return r('mark.slide', { page });
    case 'hand':
      return r('mark.hand', { name });
    default:
      return r('mark.chat', { name });
  }
}
