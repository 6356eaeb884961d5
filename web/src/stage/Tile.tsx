import {
  isTrackReference,
  useIsMuted,
  useIsSpeaking,
  useParticipantInfo,
  VideoTrack,
  type TrackReferenceOrPlaceholder,
} from '@livekit/components-react';
import { Track } from 'livekit-client';

import { Icon } from '../ui/Icon';
import type { Size } from './layout';
import { caption, hue, initials } from './names';

interface TileProps {
  track: TrackReferenceOrPlaceholder;
  /** Undefined to fill the available space. */
  size?: Size;
}

/** One camera or one shared screen, with the name of its owner. */
export function Tile({ track, size }: TileProps) {
  const { participant, source } = track;
  const { name } = useParticipantInfo({ participant });
  const isScreen = source === Track.Source.ScreenShare;
  const muted = useIsMuted({ participant, source: Track.Source.Microphone });
  const speaking = useIsSpeaking(participant) && !isScreen && !muted;
  const hidden = useIsMuted(track);
  const shown = name === undefined || name === '' ? participant.identity : name;
  const text = caption(shown, { isLocal: participant.isLocal, isScreen });
  return (
    <figure
      className={speaking ? 'tile tile-speaking' : 'tile'}
      style={size}
      data-testid="tile"
      data-identity={participant.identity}
      data-source={source}
      data-muted={!isScreen && muted}
      data-speaking={speaking}
      data-video={!hidden}
    >
      {isTrackReference(track) && !hidden ? (
        <VideoTrack
          trackRef={track}
          className={pictureClass(isScreen, participant.isLocal)}
          aria-label={isScreen ? text : `Camera of ${shown}`}
        />
      ) : (
        <Face identity={participant.identity} name={shown} />
      )}
      <figcaption>
        {!isScreen && muted && (
          <span className="tile-muted" role="img" aria-label="Microphone off">
            <Icon name="mic-off" />
          </span>
        )}
        {isScreen && <Icon name="screen" />}
        <span className="tile-name">{text}</span>
      </figcaption>
    </figure>
  );
}

/** Initials on a coloured disc, in place of a picture. */
function Face({ identity, name }: { identity: string; name: string }) {
  return (
    <div className="face" aria-hidden="true" style={{ backgroundColor: `hsl(${hue(identity)} 38% 36%)` }}>
      {initials(name)}
    </div>
  );
}

function pictureClass(isScreen: boolean, isLocal: boolean): string {
  if (isScreen) return 'picture-whole';
  return isLocal ? 'picture-filling mirrored' : 'picture-filling';
}
