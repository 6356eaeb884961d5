import '../styles/replay.css';

import { useCallback, useEffect, useMemo, useState } from 'react';

import type { Caller } from '../client/classroom/call';
import { clock } from '../client/classroom/time';
import { chaptersOf, type Chapter } from '../client/recordings/chapters';
import { notesOf, type ChapterNotes } from '../client/recordings/notes';
import { replay, type Mark, type Viewing } from '../client/recordings/replay';
import { transcripts, type SpokenLine } from '../client/recordings/transcript';
import { r } from '../client/text/replay/texts';
import { useFullscreen } from '../room/useFullscreen';
import { IconButton } from '../ui/controls/IconButton';
import { TEACHING } from '../ui/controls/teachingIcons';
import { useStore } from '../ui/hooks/useStore';
import { actionOf, nextSpeed, SPEEDS } from './keys';
import { Log } from './Log';
import { Player } from './media/player';
import { Notes } from './Notes';
import { ReplayStage } from './ReplayStage';
import { firstPictureS, momentIn, namesOf, written } from './timeline';
import { Timeline } from './Timeline';
import { captionsAt, lineAt, silences } from './transcript';
import { Transcript } from './Transcript';

interface ReplayScreenProps {
  caller: Caller;
  viewing: Viewing;
}

/** Plays a recording. */
export function ReplayScreen({ caller, viewing }: ReplayScreenProps) {
  const marks = useMarks(caller, viewing);
  const owner = useMemo(() => firstPerson(viewing), [viewing]);
  const [player] = useState(
    () => new Player(viewing, owner, momentIn(window.location.hash) ?? firstPictureS(viewing.tracks)),
  );
  const state = useStore(player.state);
  const names = useMemo(() => namesOf(marks), [marks]);
  const wholeSecond = Math.floor(state.timeS);
  const lines = useMemo(() => written(marks, wholeSecond + 1), [marks, wholeSecond]);
  const { spoken, notes, panel, setPanel, captioned, setCaptioned } = useTranscript(caller, viewing, player);
  const chapters = useChapters(caller, viewing);
  const captions = captioned ? captionsAt(spoken, state.timeS) : [];
  const jump = useCallback((to: number): void => player.jump(to), [player]);
  const fullscreen = useFullscreen();
  useEffect(() => {
    player.open();
    return () => player.close();
  }, [player]);
  useEffect(() => player.setMarks(marks), [player, marks]);
  useKeys(player, fullscreen?.toggle);
  const { timeS, lengthS, playing, live, rate } = state;
  return (
    <div className="replay" data-testid="replay" data-playing={playing} data-loading={state.loading}>
      <section
        className="replay-player"
        aria-label={r('player.region')}
        data-testid="replay-player"
        data-time={timeS.toFixed(1)}
        data-length={lengthS.toFixed(1)}
        data-speaker={state.speaker}
      >
        <ReplayStage
          player={player}
          state={state}
          names={names}
          caller={caller}
          session={viewing.session}
          recording={viewing.recording.id}
        >
          {captions.length > 0 && (
            <p className="replay-captions" data-testid="replay-captions">
              {captions.map(({ person, text }) => (
                <span key={person}>
                  {names.get(person) ?? r('log.somebody')}: {text}
                </span>
              ))}
            </p>
          )}
        </ReplayStage>
        <Timeline
          timeS={timeS}
          lengthS={lengthS}
          marks={marks}
          names={names}
          chapters={chapters}
          onJump={jump}
        />
        <div className="replay-controls">
          <IconButton
            icon={playing ? TEACHING.pause : TEACHING.play}
            label={playing ? r('player.pause') : r('player.play')}
            shortcut="K"
            testId="replay-toggle"
            state={playing ? 'playing' : 'paused'}
            onPress={() => (playing ? player.pause() : player.play())}
          />
          <IconButton
            icon={TEACHING.back}
            label={r('player.back')}
            shortcut="J"
            testId="replay-back"
            onPress={() => player.jump(timeS - 10)}
          />
          <IconButton
            icon={TEACHING.forward}
            label={r('player.forward')}
            shortcut="L"
            testId="replay-forward"
            onPress={() => player.jump(timeS + 10)}
          />
          <span className="replay-time">
            {clock(timeS)} / {clock(lengthS)}
          </span>
          {live && (
            <button
              type="button"
              className="button replay-live"
              data-testid="replay-live"
              aria-label={`${r('player.live')}: ${r('player.toLive')}`}
              onClick={() => player.jump(lengthS)}
            >
              {r('player.live')}
            </button>
          )}
          <label className="replay-speed">
            <span className="soft">{r('player.speed')}</span>
            <select
              value={rate}
              data-testid="replay-speed"
              onChange={(event) => player.setRate(Number(event.target.value))}
            >
              {SPEEDS.map((each) => (
                <option key={each} value={each}>
                  {each} ×
                </option>
              ))}
            </select>
          </label>
          {spoken.length > 0 && (
            <>
              <Switch
                on={captioned}
                label={r('player.captions')}
                testId="replay-captions-switch"
                onChange={setCaptioned}
              />
              <Switch
                on={state.skipsSilence}
                label={r('player.silence')}
                testId="replay-silence-switch"
                onChange={(on) => player.setSkipsSilence(on)}
              />
            </>
          )}
          <CopyLink timeS={timeS} />
          {fullscreen !== undefined && (
            <IconButton
              icon={fullscreen.on ? 'fullscreen-exit' : 'fullscreen'}
              label={r('player.fullscreen')}
              shortcut="F"
              testId="replay-fullscreen"
              onPress={fullscreen.toggle}
            />
          )}
        </div>
        <p role="status" className="soft" data-testid="replay-note">
          {state.problem
            ? r('player.problem')
            : state.skippedS > 0
              ? r('player.skipped', { time: clock(state.skippedS) })
              : ''}
        </p>
        <p className="soft replay-keys">{r('player.keys')}</p>
      </section>
      <div className="replay-beside">
        {spoken.length > 0 && (
          <div className="replay-panels" role="group" aria-label={r('panel.choose')}>
            <Switch
              on={panel === 'log'}
              label={r('log.title')}
              testId="replay-show-log"
              onChange={() => setPanel('log')}
            />
            <Switch
              on={panel === 'transcript'}
              label={r('transcript.title')}
              testId="replay-show-transcript"
              onChange={() => setPanel('transcript')}
            />
            {notes.length > 0 && (
              <Switch
                on={panel === 'notes'}
                label={r('notes.title')}
                testId="replay-show-notes"
                onChange={() => setPanel('notes')}
              />
            )}
          </div>
        )}
        {panel === 'transcript' && spoken.length > 0 ? (
          <Transcript
            caller={caller}
            lines={spoken}
            current={lineAt(spoken, timeS)}
            names={names}
            onJump={jump}
          />
        ) : panel === 'notes' ? (
          <Notes chapters={notes} names={names} onJump={jump} />
        ) : (
          <Log lines={lines} names={names} onJump={jump} />
        )}
      </div>
    </div>
  );
}

interface SwitchProps {
  on: boolean;
  label: string;
  testId: string;
  onChange: (on: boolean) => void;
}

function Switch({ on, label, testId, onChange }: SwitchProps) {
  return (
    <button
      type="button"
      className="button replay-switch"
      aria-pressed={on}
      data-testid={testId}
      onClick={() => onChange(!on)}
    >
      {label}
    </button>
  );
}

/** Loads the transcript and the notes of it; without one, both stay empty. */
function useTranscript(caller: Caller, { recording }: Viewing, player: Player) {
  const [spoken, setSpoken] = useState<readonly SpokenLine[]>([]);
  const [notes, setNotes] = useState<readonly ChapterNotes[]>([]);
  const [panel, setPanel] = useState<'log' | 'transcript' | 'notes'>('log');
  const [captioned, setCaptioned] = useState(false);
  useEffect(() => {
    let current = true;
    transcripts
      .lines(caller, recording.id)
      .then((lines) => {
        if (!current) return;
        setSpoken(lines);
        player.setSilences(silences(lines, player.state.snapshot().lengthS));
        return lines.length === 0 ? [] : notesOf(caller, recording.id);
      })
      .then((found) => {
        if (current && found !== undefined) setNotes(found);
      })
      .catch(() => undefined);
    return () => {
      current = false;
    };
  }, [caller, recording.id, player]);
  return { spoken, notes, panel, setPanel, captioned, setCaptioned };
}

/** Loads the chapters; without any, the timeline stays plain. A live recording's are loaded as it is opened. */
function useChapters(caller: Caller, { recording }: Viewing): readonly Chapter[] {
  const [chapters, setChapters] = useState<readonly Chapter[]>([]);
  useEffect(() => {
    let current = true;
    chaptersOf(caller, recording.id)
      .then((found) => {
        if (current) setChapters(found);
      })
      .catch(() => undefined);
    return () => {
      current = false;
    };
  }, [caller, recording.id]);
  return chapters;
}

/** The person shown while nobody has spoken: the tutor, whose tracks are usually the first. */
function firstPerson({ tracks }: Viewing): string {
  return tracks.find(({ source }) => source === 'screen_share')?.person ?? tracks[0]?.person ?? '';
}

function CopyLink({ timeS }: { timeS: number }) {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    const url = new URL(window.location.href);
    url.hash = `t=${Math.floor(timeS)}`;
    window.history.replaceState(null, '', url);
    navigator.clipboard
      .writeText(url.href)
      .then(() => setCopied(true))
      .catch(() => undefined);
  };
  return (
    <IconButton
      icon={copied ? 'check' : 'link'}
      label={copied ? r('player.copied') : r('player.link')}
      testId="replay-link"
      onPress={copy}
    />
  );
}

const LIVE_MARKS_MS = 4000;

/** Loads the marks, page by page; while the session is live, also new ones. */
function useMarks(caller: Caller, { session, recording }: Viewing): readonly Mark[] {
  const [marks, setMarks] = useState<readonly Mark[]>([]);
  useEffect(() => {
    let current = true;
    let timer = 0;
    let after = 0;
    const load = async (): Promise<void> => {
      const { marks: found, upto, more } = await replay.marks(caller, session, recording.id, after);
      if (!current) return;
      after = upto;
      if (found.length > 0) setMarks((known) => [...known, ...found]);
      if (more) await load();
    };
    const again = (): void => {
      load()
        .catch(() => undefined)
        .finally(() => {
          if (current && recording.live) timer = window.setTimeout(again, LIVE_MARKS_MS);
        });
    };
    again();
    return () => {
      current = false;
      window.clearTimeout(timer);
      setMarks([]);
    };
  }, [caller, session, recording]);
  return marks;
}

function useKeys(player: Player, fullscreen: (() => void) | undefined): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const focus = event.target instanceof Element ? event.target.tagName : '';
      const action = actionOf(event, focus);
      if (action === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      const { timeS, playing, rate } = player.state.snapshot();
      switch (action.kind) {
        case 'toggle':
          if (playing) player.pause();
          else player.play();
          break;
        case 'skip':
          player.jump(timeS + action.byS);
          break;
        case 'speed':
          player.setRate(nextSpeed(rate, action.by));
          break;
        case 'fullscreen':
          fullscreen?.();
      }
    };
    const follow = (): void => {
      const moment = momentIn(window.location.hash);
      if (moment !== undefined) player.jump(moment);
    };
    window.addEventListener('keydown', press, true);
    window.addEventListener('hashchange', follow);
    return () => {
      window.removeEventListener('keydown', press, true);
      window.removeEventListener('hashchange', follow);
    };
  }, [player, fullscreen]);
}
