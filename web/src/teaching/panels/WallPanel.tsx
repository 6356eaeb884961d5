import { useTracks, VideoTrack, type TrackReference } from '@livekit/components-react';
import { Track } from 'livekit-client';

import { nameOf } from '../../client/classroom/live/state';
import { isStaff } from '../../client/classroom/sessions';
import { textOf } from '../../client/json';
import { named, s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { Panel } from '../../ui/surfaces/Panel';
import { useLive } from '../live/context';

interface WallPanelProps {
  /** The student whose screen the tutor watches closely. */
  watched: string | undefined;
  onWatch: (person: string | undefined) => void;
  onClose: () => void;
}

/**
 * The screens that students share with the staff. The server forwards them to nobody else; adaptive stream asks for the
 * lowest layer at this size.
 */
export function WallPanel({ watched, onWatch, onClose }: WallPanelProps) {
  const { state, tutor } = useLive();
  const screens = useTracks([Track.Source.ScreenShare], { onlySubscribed: false });
  const students = new Set(state.people.present.filter(({ role }) => role === 'student').map(({ id }) => id));
  const shown = screens.filter(({ participant }) => students.has(participant.identity));
  return (
    <Panel title={s('panel.wall')} testId="wall-panel" onClose={onClose}>
      {tutor && <SceneSelect />}
      <p className="soft">{s(shown.length === 0 ? 'wall.none' : 'wall.only')}</p>
      {/* Reachable by keyboard, because it scrolls. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above; axe demands it */}
      <ul className="panel-list panel-scroll" tabIndex={0} aria-label={s('panel.wall')}>
        {shown.map((track) => (
          <Screen
            key={track.participant.identity}
            track={track}
            watched={watched === track.participant.identity}
            onWatch={onWatch}
          />
        ))}
      </ul>
    </Panel>
  );
}

/** Chooses what is large for everybody: a camera, a screen of the staff, or what somebody shares. */
function SceneSelect() {
  const { state, session, wire } = useLive();
  const { scene, scenes } = state.direction;
  const choices = state.people.present.flatMap(({ id, name, role }) => [
    ...(isStaff(role) ? [{ kind: 'screen', source: id, label: s('scene.screen', { name }) }] : []),
    { kind: 'camera', source: id, label: s('scene.camera', { name }) },
  ]);
  const keyOf = ({ kind, source }: { kind: string; source: string }): string => `${kind} ${source}`;
  const current = scene === undefined ? '' : keyOf(scene);
  const choose = (key: string): void =>
    void wire.run(async () => {
      const wanted = choices.find((choice) => keyOf(choice) === key);
      const known = scenes.find((each) => keyOf(each) === key)?.id;
      const made = async ({ kind, source }: { kind: string; source: string }): Promise<string> =>
        textOf((await session.command('/scenes', { kind, source }))['id']);
      const id = wanted === undefined ? '' : (known ?? (await made(wanted)));
      await session.command('/scenes/switch', { scene: id });
    });
  return (
    <div className="field">
      <label htmlFor="scene">{s('scene.title')}</label>
      <select id="scene" data-testid="scene" value={current} onChange={(event) => choose(event.target.value)}>
        <option value="">{s('scene.nothing')}</option>
        {choices.map((choice) => (
          <option key={keyOf(choice)} value={keyOf(choice)}>
            {choice.label}
          </option>
        ))}
        {scene !== undefined && choices.every((choice) => keyOf(choice) !== current) && (
          <option value={current}>{s('scene.screen', { name: nameOf(state, scene.source) })}</option>
        )}
      </select>
    </div>
  );
}

interface ScreenProps {
  track: TrackReference;
  watched: boolean;
  onWatch: (person: string | undefined) => void;
}

function Screen({ track, watched, onWatch }: ScreenProps) {
  const { state, tutor, session, wire } = useLive();
  const { identity } = track.participant;
  const name = nameOf(state, identity);
  const { scene, scenes } = state.direction;
  const isShown = scene?.kind === 'student_work' && scene.source === identity;
  const show = (): void =>
    void wire.run(async () => {
      if (isShown) await session.command('/scenes/switch', { scene: '' });
      else {
        const known = scenes.find(({ kind, source }) => kind === 'student_work' && source === identity);
        const made =
          known?.id ?? (await session.command('/scenes', { kind: 'student_work', source: identity }))['id'];
        await session.command('/scenes/switch', { scene: made });
      }
    });
  return (
    <li className="panel-item" data-testid="wall-screen" data-person={identity} data-shown={isShown}>
      <VideoTrack trackRef={track} className="wall-picture" aria-label={s('scene.screen', { name })} />
      <p>
        <strong>{name}</strong> {isShown && <span className="soft">{s('wall.shown')}</span>}
      </p>
      <div className="actions">
        <Button
          look="quiet"
          testId="wall-watch"
          label={named(s(watched ? 'wall.unwatch' : 'wall.watch'), name)}
          onPress={() => onWatch(watched ? undefined : identity)}
        >
          {s(watched ? 'wall.unwatch' : 'wall.watch')}
        </Button>
        {tutor && (
          <Button
            look="quiet"
            testId="wall-show"
            label={named(s(isShown ? 'wall.hide' : 'wall.show'), name)}
            onPress={show}
          >
            {s(isShown ? 'wall.hide' : 'wall.show')}
          </Button>
        )}
      </div>
    </li>
  );
}
