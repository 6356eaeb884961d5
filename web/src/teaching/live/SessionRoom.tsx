import '../../styles/room.css';
import '../../styles/panels.css';
import '../../styles/home.css';
import '../../styles/session.css';
import '../../styles/scenes.css';

import { useIsRecording } from '@livekit/components-react';
import type { DisconnectReason } from 'livekit-client';
import { useCallback, useEffect, useMemo, useState, type ReactNode } from 'react';

import { placePath } from '../../client/classroom/place';
import { recordings } from '../../client/classroom/recordings';
import type { Choice } from '../../client/media/devices/choice';
import type { DeviceKind } from '../../client/media/devices/devices';
import type { Sending } from '../../client/media/sending/room';
import { t } from '../../client/text/catalogue';
import { s } from '../../client/text/sessions/texts';
import { Toasts } from '../../room/events/toasts';
import { RoomScreen } from '../../room/RoomScreen';
import { useEnd } from '../../room/useEnd';
import { useFullscreen } from '../../room/useFullscreen';
import { useSending } from '../../room/useSending';
import { ALL_FEATURES, FIRST_VIEW, type RoomView } from '../../room/view';
import { StageContext } from '../../stage/rules';
import { IconButton } from '../../ui/controls/IconButton';
import type { MenuEntry } from '../../ui/controls/Menu';
import { TEACHING } from '../../ui/controls/teachingIcons';
import { useStore } from '../../ui/hooks/useStore';
import { useCaptions } from '../captions/useCaptions';
import { BreakoutsPanel } from '../panels/BreakoutsPanel';
import { ChatModeration } from '../panels/ChatModeration';
import { ExercisesPanel } from '../panels/ExercisesPanel';
import { FilesPanel } from '../panels/FilesPanel';
import { HelpPanel } from '../panels/HelpPanel';
import { PollsPanel } from '../panels/PollsPanel';
import { QuestionsPanel } from '../panels/QuestionsPanel';
import { ReactionsPanel } from '../panels/ReactionsPanel';
import { ScenesPanel } from '../panels/ScenesPanel';
import { Students, StudentsPanel } from '../panels/Students';
import { WallPanel } from '../panels/WallPanel';
import { sceneOf } from '../scenes/sceneOf';
import { BreakoutNotice } from './BreakoutNotice';
import { LiveContext, liveOf, type Live } from './context';
import { Knocks } from './Knocks';
import { PersonTimes } from './PersonTimes';
import { RecordDialog, RecordingNotice } from './Recording';
import { SessionHeader } from './SessionHeader';
import { ShareNotice } from './ShareNotice';
import { pinnedOf, rulesOf } from './stageRules';
import { useSessionEvents } from './useSessionEvents';
import type { SessionWire } from './wire';

interface SessionRoomProps {
  wire: SessionWire;
  name: string;
  sending: Sending;
  /** The panel that is open at first; undefined: none. */
  panel?: string | null;
  onEnd: (reason: DisconnectReason | undefined, choice: Choice) => void;
  onDevice: (kind: DeviceKind, id: string) => void;
}

/** A session while the user is in it. */
export function SessionRoom(props: SessionRoomProps) {
  const { wire, name, sending, onEnd } = props;
  const { inside } = useStore(wire.session.state);
  useEnd(wire.room, sending, onEnd);
  const [notice, setNotice] = useState('');
  useSending(wire.room, name, sending, setNotice);
  useEffect(() => wire.onNotice(setNotice), [wire]);
  if (inside === undefined) return null;
  return (
    <LiveContext.Provider value={liveOf(wire, inside)}>
      <Inside {...props} live={liveOf(wire, inside)} notice={notice} onNotice={setNotice} />
    </LiveContext.Provider>
  );
}

interface InsideProps extends SessionRoomProps {
  live: Live;
  notice: string;
  onNotice: (words: string) => void;
}

function Inside({ wire, live, panel, notice, onNotice, onDevice }: InsideProps) {
  const { state, staff, run, me } = live;
  const [toasts] = useState(() => new Toasts());
  const [view, setView] = useState<RoomView>({ ...FIRST_VIEW, sidebar: panel ?? null });
  const [watched, setWatched] = useState<string>();
  const [recordAsked, setRecordAsked] = useState(false);
  const recorded = useIsRecording(wire.room);
  const fullscreen = useFullscreen();
  const change = useCallback((part: Partial<RoomView>) => setView((before) => ({ ...before, ...part })), []);
  const close = useCallback(() => change({ sidebar: null }), [change]);
  useSessionEvents(wire.session, me, toasts);
  // The tile that the user chose has precedence over the one that everybody sees.
  const chosen = view.pinned !== undefined || watched !== undefined;
  const rules = useMemo(
    () => ({
      ...rulesOf(state, watched),
      paged: staff,
      scene: chosen ? undefined : sceneOf(state),
      ...(staff && { detail: (person: string) => <PersonTimes person={person} short /> }),
    }),
    [state, watched, chosen, staff],
  );
  const raised = state.people.hands.some(({ person }) => person === me);
  const tools = toolsOf(live, view.sidebar);
  const captions = useCaptions(live);
  const { code } = state.lifecycle;
  const open = (panel: string): void => change({ sidebar: view.sidebar === panel ? null : panel });
  return (
    <StageContext.Provider value={rules}>
      <RoomScreen
        wire={wire}
        testId="session-room"
        className={staff ? 'session session-staff' : 'session'}
        features={{ ...ALL_FEATURES, waiting: staff ? state.people.waiting.length : 0 }}
        view={{ ...view, pinned: view.pinned ?? pinnedOf(state, watched) }}
        fullscreen={fullscreen}
        notice={notice}
        invite={
          code === ''
            ? undefined
            : () => Promise.resolve(window.location.origin + placePath({ kind: 'code', code }))
        }
        tellsMoves={false}
        tellsAlone={!state.breakouts.open && rules.scene === undefined}
        toasts={toasts}
        header={(stalled, saver) => (
          <SessionHeader
            stalled={stalled}
            saver={saver}
            onHelp={() => change({ sidebar: 'help' })}
            onNotice={onNotice}
          />
        )}
        aside={staff ? <Students /> : undefined}
        panels={panelsOf(close, watched, setWatched)}
        chatHead={<ChatModeration />}
        entries={[
          ...tools.map((tool) => entryOf(tool, open)),
          ...roomEntries(live, open),
          ...captions.entries,
          ...recordEntries(live, recorded, () => setRecordAsked(true)),
        ]}
        tray={tools.map((tool) => (
          <ToolButton
            key={tool.id}
            tool={tool}
            open={view.sidebar === tool.id}
            onPress={() => open(tool.id)}
          />
        ))}
        hand={{
          on: raised,
          disabled: false,
          toggle: staff ? undefined : () => void run(raised ? '/hands/lower' : '/hands'),
        }}
        notices={
          <>
            <Knocks />
            <RecordingNotice />
            {recordAsked && <RecordDialog onClose={() => setRecordAsked(false)} />}
            <BreakoutNotice />
            <ShareNotice />
          </>
        }
        overlay={captions.lines}
        onView={change}
        onNotice={onNotice}
        onDevice={onDevice}
        onLeave={() => void wire.room.disconnect()}
      />
    </StageContext.Provider>
  );
}

function panelsOf(
  close: () => void,
  watched: string | undefined,
  onWatch: (person: string | undefined) => void,
): Record<string, ReactNode> {
  return {
    students: <StudentsPanel onClose={close} />,
    help: <HelpPanel onClose={close} />,
    questions: <QuestionsPanel onClose={close} />,
    polls: <PollsPanel onClose={close} />,
    exercises: <ExercisesPanel onClose={close} />,
    breakouts: <BreakoutsPanel onClose={close} />,
    wall: <WallPanel watched={watched} onWatch={onWatch} onClose={close} />,
    reactions: <ReactionsPanel onClose={close} />,
    scenes: <ScenesPanel onClose={close} />,
    files: <FilesPanel onClose={close} />,
  };
}

interface Tool {
  id:
    | 'students'
    | 'scenes'
    | 'help'
    | 'questions'
    | 'polls'
    | 'exercises'
    | 'breakouts'
    | 'wall'
    | 'files'
    | 'reactions';
  icon: MenuEntry['icon'];
  label: string;
  badge: number;
  /** The panel has a button on narrow screens, too; the others are in the menu there. */
  always: boolean;
  /** The panel has no button on wide screens. */
  narrowOnly?: boolean;
  /** The panel has a button on the widest screens only, because tutors have more buttons than fit elsewhere. */
  wideOnly?: boolean;
}

function toolsOf({ state, staff, tutor, me }: Live, sidebar: string | null): Tool[] {
  const openPolls = state.polls.filter(
    ({ status, mine }) => status === 'open' && (staff || mine === undefined),
  );
  const undone = state.exercises.mine.filter(({ status }) => status === 'assigned' || status === 'returned');
  const submitted = Object.values(state.exercises.works).filter(({ status }) => status === 'submitted');
  const openQuestions = state.questions.filter(({ answered }) => !answered);
  const shown = (id: Tool['id'], count: number): number => (sidebar === id ? 0 : count);
  const tools: (Tool | false)[] = [
    staff && {
      id: 'students',
      icon: TEACHING.students,
      label: s('panel.students'),
      badge: 0,
      always: true,
      narrowOnly: true,
    },
    tutor && { id: 'scenes', icon: TEACHING.scenes, label: s('panel.scenes'), badge: 0, always: false },
    {
      id: 'help',
      icon: TEACHING.help,
      label: s('panel.helpShort'),
      badge: shown('help', staff ? state.help.length : 0),
      always: true,
    },
    {
      id: 'questions',
      icon: TEACHING.question,
      label: s('panel.questions'),
      badge: shown('questions', staff ? openQuestions.filter(({ by }) => by !== me).length : 0),
      always: false,
    },
    {
      id: 'polls',
      icon: TEACHING.poll,
      label: s('panel.polls'),
      badge: shown('polls', openPolls.length),
      always: false,
    },
    {
      id: 'exercises',
      icon: TEACHING.exercise,
      label: s('panel.exercises'),
      badge: shown('exercises', staff ? submitted.length : undone.length),
      always: false,
    },
    tutor && {
      id: 'breakouts',
      icon: TEACHING.breakouts,
      label: s('panel.breakouts'),
      badge: 0,
      always: false,
    },
    staff && { id: 'wall', icon: TEACHING.wall, label: s('panel.wall'), badge: 0, always: false },
    { id: 'files', icon: TEACHING.files, label: s('panel.files'), badge: 0, always: false, wideOnly: tutor },
    {
      id: 'reactions',
      icon: TEACHING.react,
      label: s('panel.react'),
      badge: 0,
      always: false,
      wideOnly: tutor,
    },
  ];
  return tools.filter((tool) => tool !== false);
}

function entryOf({ id, icon, label }: Tool, open: (panel: string) => void): MenuEntry {
  return { id: `menu-${id}`, icon, label, onAction: () => open(id) };
}

/** The people panel, which has no button on narrow screens; and actions of staff for everybody. */
function roomEntries({ state, staff, run }: Live, open: (panel: string) => void): MenuEntry[] {
  const { locked } = state.direction;
  const people: MenuEntry = {
    id: 'menu-people',
    icon: 'people',
    label: t('control.people'),
    onAction: () => open('people'),
  };
  if (!staff) return [people];
  return [
    people,
    {
      id: 'mute-all',
      icon: 'mic-off',
      label: s('top.muteAll'),
      onAction: () => void run('/moderation/mute'),
    },
    {
      id: 'lock',
      icon: TEACHING.lock,
      label: s(locked ? 'top.unlock' : 'top.lock'),
      onAction: () => void run('/moderation/lock', { locked: !locked }),
    },
  ];
}

/** Buttons to start and stop a recording, for tutors. */
function recordEntries({ tutor, session, wire }: Live, recorded: boolean, onAsk: () => void): MenuEntry[] {
  if (!tutor) return [];
  const stop = (): void => void wire.run(() => recordings.stop(session.caller, session.id));
  return [
    {
      id: 'record',
      icon: TEACHING.record,
      label: s(recorded ? 'rec.stop' : 'rec.record'),
      onAction: recorded ? stop : onAsk,
    },
  ];
}

function ToolButton({ tool, open, onPress }: { tool: Tool; open: boolean; onPress: () => void }) {
  const { id, icon, label, badge, always, narrowOnly, wideOnly } = tool;
  return (
    <div
      className={[
        'tool',
        !always && 'tool-wide',
        narrowOnly === true && 'tool-narrow',
        wideOnly === true && 'tool-widest',
      ]
        .filter(Boolean)
        .join(' ')}
    >
      <IconButton
        icon={icon}
        label={badge > 0 ? `${label} (${badge})` : label}
        caption={label}
        badge={badge}
        testId={`toggle-${id}`}
        pressed={open}
        active={open}
        onPress={onPress}
      />
    </div>
  );
}
