import { useState, type ReactNode } from 'react';

import { placePath, shownCode } from '../../client/classroom/place';
import { isBefore } from '../../client/classroom/sessions';
import { clock } from '../../client/classroom/time';
import { taughtAt } from '../../client/classroom/live/lifecycle';
import { t } from '../../client/text/catalogue';
import { s } from '../../client/text/sessions/texts';
import { RecordingMark } from '../../room/RecordingMark';
import { ConnectionStatus } from '../../room/RoomHeader';
import { Button } from '../../ui/controls/Button';
import { TEACHING } from '../../ui/controls/teachingIcons';
import { Icon } from '../../ui/controls/Icon';
import { Confirm } from '../../ui/surfaces/Confirm';
import { useLive, useServerNow } from './context';

interface SessionHeaderProps {
  stalled: boolean;
  /** The button of the data saver. Tutors have it in the menu: what they send and see is the lesson. */
  saver: ReactNode;
  onHelp: () => void;
  onNotice: (words: string) => void;
}

/** Title, state and time of the lesson; for tutors also the buttons to start, pause and end it, and the people who need them. */
export function SessionHeader({ stalled, saver, onHelp, onNotice }: SessionHeaderProps) {
  const { state, staff, tutor, run } = useLive();
  const { title, phase, code } = state.lifecycle;
  const [ending, setEnding] = useState(false);
  const people = state.people.present.length;
  return (
    <header className="session-header">
      <h1>{title}</h1>
      <p className="session-phase" data-testid="phase" data-phase={phase} role="status">
        {phase === 'live' && <span className="live-mark">{s('top.live')}</span>}
        {phase === 'paused' && s('top.paused')}
        {isBefore(phase) && s('top.notStarted')}
      </p>
      <RecordingMark />
      <LessonClock />
      <p className="soft" data-testid="people">
        {t('people.count', { count: people })}
      </p>
      <ConnectionStatus stalled={stalled} />
      {!staff && saver}
      {staff && state.help.length > 0 && (
        <button type="button" className="session-alert" data-testid="help-count" onClick={onHelp}>
          <Icon name={TEACHING.help} />
          <b aria-hidden="true">{state.help.length}</b>
          <span>{s('top.help', { count: state.help.length })}</span>
        </button>
      )}
      {staff && code !== '' && <CopyCode code={code} onNotice={onNotice} />}
      {tutor && isBefore(phase) && (
        <Button look="primary" icon={TEACHING.play} testId="session-start" onPress={() => void run('/start')}>
          {s('top.start')}
        </Button>
      )}
      {tutor && phase === 'live' && (
        <Button look="quiet" icon={TEACHING.pause} testId="session-pause" onPress={() => void run('/pause')}>
          {s('top.pause')}
        </Button>
      )}
      {tutor && phase === 'paused' && (
        <Button
          look="primary"
          icon={TEACHING.play}
          testId="session-resume"
          onPress={() => void run('/resume')}
        >
          {s('top.resume')}
        </Button>
      )}
      {tutor && !isBefore(phase) && (
        <Button look="quiet" icon={TEACHING.stop} testId="session-end" onPress={() => setEnding(true)}>
          {s('top.end')}
        </Button>
      )}
      {ending && (
        <Confirm
          title={s('top.endAsk')}
          detail={s('top.endDetail')}
          action={s('top.endConfirm')}
          testId="end-dialog"
          confirmId="end-confirm"
          onConfirm={() => {
            setEnding(false);
            void run('/end');
          }}
          onCancel={() => setEnding(false)}
        />
      )}
    </header>
  );
}

function LessonClock() {
  const now = useServerNow();
  const { lifecycle } = useLive().state;
  if (isBefore(lifecycle.phase)) return null;
  return (
    <p className="session-clock" role="timer" aria-label={s('top.time')} data-testid="lesson-time">
      {clock(taughtAt(lifecycle, now))}
    </p>
  );
}

function CopyCode({ code, onNotice }: { code: string; onNotice: (words: string) => void }) {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    const link = window.location.origin + placePath({ kind: 'code', code });
    try {
      await navigator.clipboard.writeText(link);
      setCopied(true);
      window.setTimeout(() => setCopied(false), 2500);
    } catch {
      onNotice(t('problem.copy', { link }));
    }
  };
  return (
    <div className="session-code">
      <span data-testid="session-code" data-code={code}>
        {s('top.code', { code: shownCode(code) })}
      </span>
      <Button look="quiet" icon={copied ? 'check' : 'link'} testId="copy-code" onPress={() => void copy()}>
        {t(copied ? 'action.copied' : 'action.copy')}
      </Button>
    </div>
  );
}
