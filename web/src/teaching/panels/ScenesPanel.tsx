import { useTracks } from '@livekit/components-react';
import { Track } from 'livekit-client';
import { useState } from 'react';

import { nameOf } from '../../client/classroom/live/state';
import { sameScene, showScene, type Wanted } from '../../client/classroom/scenes';
import { isStaff } from '../../client/classroom/sessions';
import { makeDeck, sendFile } from '../../client/classroom/uploads';
import { named, s } from '../../client/text/sessions/texts';
import { FileButton } from '../../ui/controls/FileButton';
import { Icon, type IconName, type IconShape } from '../../ui/controls/Icon';
import { IconButton } from '../../ui/controls/IconButton';
import { TEACHING } from '../../ui/controls/teachingIcons';
import { Confirm } from '../../ui/surfaces/Confirm';
import { Panel } from '../../ui/surfaces/Panel';
import { useLive } from '../live/context';
import { UploadState } from './UploadState';
import { useUpload } from './useUpload';

interface Choice {
  /** Undefined: no scene is chosen, so a shared screen is large. */
  wanted: Wanted | undefined;
  icon: IconName | IconShape;
  label: string;
}

/** Chooses what everybody sees: slides, the whiteboard, a screen, a camera. */
export function ScenesPanel({ onClose }: { onClose: () => void }) {
  const { state, session, drop } = useLive();
  const choose = useScene();
  const [removing, setRemoving] = useState<{ id: string; title: string }>();
  const { upload, problem, start, cancel } = useUpload(async (file, watcher) => {
    const deck = await makeDeck(session, await sendFile(session, file, true, watcher));
    await showScene(session, state.direction, { kind: 'slides', source: deck });
  });
  const first: Choice[] = [
    { wanted: undefined, icon: 'grid', label: s('scene.nothing') },
    { wanted: { kind: 'whiteboard', source: '' }, icon: TEACHING.pen, label: s('scene.whiteboard') },
  ];
  const screens = useScreens();
  const cameras = state.people.present.map(({ id, name }): Choice => ({
    wanted: { kind: 'camera', source: id },
    icon: 'camera',
    label: s('scene.camera', { name }),
  }));
  const { scene } = state.direction;
  const row = (choice: Choice, onRemove?: () => void) => (
    <Row
      key={`${choice.wanted?.kind} ${choice.wanted?.source}`}
      choice={choice}
      on={sameScene(scene, choice.wanted)}
      onChoose={() => choose(choice.wanted)}
      onRemove={onRemove}
    />
  );
  return (
    <Panel title={s('scene.title')} testId="scenes-panel" onClose={onClose}>
      {/* Reachable by keyboard, because it scrolls. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above; axe demands it */}
      <div className="panel-scroll" tabIndex={0} role="group" aria-label={s('scene.title')}>
        <ul className="scene-list">{first.map((choice) => row(choice))}</ul>
        <h3>{s('scene.slides')}</h3>
        <ul className="scene-list">
          {state.decks.map((deck) =>
            row(
              { wanted: { kind: 'slides', source: deck.id }, icon: 'speaker-view', label: deck.title },
              sameScene(scene, { kind: 'slides', source: deck.id }) ? undefined : () => setRemoving(deck),
            ),
          )}
        </ul>
        <FileButton
          icon={TEACHING.upload}
          accept=".pdf"
          testId="slides-add"
          disabled={upload !== undefined}
          onFile={start}
        >
          {s('slides.add')}
        </FileButton>
        <p className="soft">{s('slides.limits')}</p>
        <UploadState
          upload={upload}
          finishing={(name) => s('slides.making', { name })}
          problem={problem}
          onCancel={cancel}
        />
        {screens.length > 0 && (
          <>
            <h3>{s('scene.screens')}</h3>
            <ul className="scene-list">{screens.map((choice) => row(choice))}</ul>
          </>
        )}
        <h3>{s('scene.cameras')}</h3>
        <ul className="scene-list">{cameras.map((choice) => row(choice))}</ul>
      </div>
      {removing !== undefined && (
        <Confirm
          title={s('files.removeAsk', { name: removing.title })}
          action={s('scene.remove')}
          testId="deck-dialog"
          confirmId="deck-remove-confirm"
          onConfirm={() => {
            setRemoving(undefined);
            void drop(`/slides/${removing.id}`);
          }}
          onCancel={() => setRemoving(undefined)}
        />
      )}
    </Panel>
  );
}

/** Shows a scene to everybody; creates a first page of the whiteboard if needed. */
function useScene() {
  const { state, session, wire } = useLive();
  return (wanted: Wanted | undefined): void =>
    void wire.run(async () => {
      if (wanted?.kind === 'whiteboard' && state.board.current === '') await session.command('/whiteboards');
      await showScene(session, state.direction, wanted);
    });
}

/** The currently shared screens: those of staff, and the work of students. */
function useScreens(): Choice[] {
  const { state } = useLive();
  const shared = useTracks([Track.Source.ScreenShare], { onlySubscribed: false });
  return shared.flatMap(({ participant: { identity } }): Choice[] => {
    const person = state.people.present.find(({ id }) => id === identity);
    if (person === undefined) return [];
    const kind = isStaff(person.role) ? 'screen' : 'student_work';
    const label = s('scene.screen', { name: nameOf(state, identity) });
    return [{ wanted: { kind, source: identity }, icon: 'screen', label }];
  });
}

interface RowProps {
  choice: Choice;
  on: boolean;
  onChoose: () => void;
  onRemove: (() => void) | undefined;
}

function Row({ choice: { wanted, icon, label }, on, onChoose, onRemove }: RowProps) {
  return (
    <li>
      <button
        type="button"
        className="scene-choice"
        aria-pressed={on}
        data-testid="scene-choice"
        data-kind={wanted?.kind ?? 'none'}
        onClick={() => {
          if (!on) onChoose();
        }}
      >
        <Icon name={icon} />
        <span>{label}</span>
        {on && <Icon name="check" />}
      </button>
      {onRemove !== undefined && (
        <IconButton
          look="bare"
          icon={TEACHING.trash}
          label={named(s('scene.remove'), label)}
          testId="deck-remove"
          onPress={onRemove}
        />
      )}
    </li>
  );
}
