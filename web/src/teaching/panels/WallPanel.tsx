import { useTracks, VideoTrack, type TrackReference } from '@livekit/components-react';
import { Track } from 'livekit-client';

import { nameOf } from '../../client/classroom/live/state';
import { sameScene, showScene, type Wanted } from '../../client/classroom/scenes';
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
  const { state } = useLive();
  const screens = useTracks([Track.Source.ScreenShare], { onlySubscribed: false });
  const students = new Set(state.people.present.filter(({ role }) => role === 'student').map(({ id }) => id));
  const shown = screens.filter(({ participant }) => students.has(participant.identity));
  return (
    <Panel title={s('panel.wall')} testId="wall-panel" onClose={onClose}>
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

interface ScreenProps {
  track: TrackReference;
  watched: boolean;
  onWatch: (person: string | undefined) => void;
}

function Screen({ track, watched, onWatch }: ScreenProps) {
  const { state, tutor, session, wire } = useLive();
  const { identity } = track.participant;
  const name = nameOf(state, identity);
  const work: Wanted = { kind: 'student_work', source: identity };
  const isShown = sameScene(state.direction.scene, work);
  const show = (): void =>
    void wire.run(() => showScene(session, state.direction, isShown ? undefined : work));
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
