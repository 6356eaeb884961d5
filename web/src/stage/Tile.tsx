import {
  isTrackReference,
  useConnectionQualityIndicator,
  useIsMuted,
  useIsSpeaking,
  useParticipantAttributes,
  useParticipantInfo,
  VideoTrack,
  type TrackReferenceOrPlaceholder,
} from '@livekit/components-react';
import { Track } from 'livekit-client';
import { useContext, useState } from 'react';

import { t } from '../client/text/catalogue';
import { Icon } from '../ui/controls/Icon';
import { IconButton } from '../ui/controls/IconButton';
import type { Size } from './layout';
import { linkOf, linkState, otherLinkWords } from './link';
import { caption, hue, initials, shownName } from './names';
import { popOut, CAN_POP_OUT } from './popOut';
import { StageContext } from './rules';
import { useZoom, type ZoomControl } from './useZoom';
import { transformOf } from './zoom';

interface TileProps {
  track: TrackReferenceOrPlaceholder;
  /** Undefined to fill the available space. */
  size?: Size;
  large?: boolean;
  pinned: boolean;
  /** Whether single keys zoom the large picture. */
  keys?: boolean;
  onPin: (wanted: boolean) => void;
}

/** One camera or one shared screen, with the name of its owner. */
export function Tile({ track, size, large = false, pinned, keys = false, onPin }: TileProps) {
  const { participant, source } = track;
  const { name: itsName } = useParticipantInfo({ participant });
  const isScreen = source === Track.Source.ScreenShare;
  const muted = useIsMuted({ participant, source: Track.Source.Microphone });
  const speaking = useIsSpeaking(participant) && !isScreen && !muted;
  const hidden = useIsMuted(track);
  const zoom = useZoom(large && keys);
  const { detail } = useContext(StageContext);
  const name = shownName({ name: itsName, identity: participant.identity });
  const text = caption(name, { isLocal: participant.isLocal, isScreen });
  const hasVideo = isTrackReference(track) && !hidden;
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
      {hasVideo ? (
        <Picture track={track} name={name} text={text} zoom={large ? zoom : undefined} />
      ) : (
        <Face identity={participant.identity} name={name} />
      )}
      <figcaption>
        {!isScreen && muted && (
          <span className="tile-muted" role="img" aria-label={t('people.micOff')}>
            <Icon name="mic-off" />
          </span>
        )}
        {isScreen && <Icon name="screen" />}
        <span className="tile-name">{text}</span>
        {!isScreen && detail !== undefined && (
          <span className="tile-detail">{detail(participant.identity)}</span>
        )}
        {!isScreen && <Badges track={track} name={name} />}
      </figcaption>
      <div className="tile-buttons">
        {large && hasVideo && <LargeButtons zoom={zoom} />}
        <IconButton
          look="floating"
          icon={pinned ? 'unpin' : 'pin'}
          label={t(pinned ? 'people.unpin' : 'people.pin', { name: text })}
          testId="pin-tile"
          pressed={pinned}
          onPress={() => onPin(!pinned)}
        />
      </div>
    </figure>
  );
}

interface PictureProps {
  track: Parameters<typeof VideoTrack>[0]['trackRef'] & object;
  name: string;
  text: string;
  zoom: ZoomControl | undefined;
}

function Picture({ track, name, text, zoom }: PictureProps) {
  const isScreen = track.source === Track.Source.ScreenShare;
  const [arrived, setArrived] = useState<string>();
  const sid = track.publication.trackSid;
  return (
    <div className={zoom === undefined ? 'picture-box' : 'picture-box picture-zoomable'} {...zoom?.box}>
      <VideoTrack
        trackRef={track}
        className={pictureClass(isScreen, track.participant.isLocal)}
        aria-label={isScreen ? text : t('tile.camera', { name })}
        style={
          zoom === undefined
            ? undefined
            : { transform: zoomTransform(zoom, isScreen, track.participant.isLocal) }
        }
        onLoadedData={() => setArrived(sid)}
      />
      {isScreen && arrived !== sid && (
        <p className="tile-loading" role="status">
          {t('tile.loading', { name })}
        </p>
      )}
    </div>
  );
}

/** Raised hand and the state of the connection. */
function Badges({ track: { participant }, name }: { track: TrackReferenceOrPlaceholder; name: string }) {
  const { attributes = {} } = useParticipantAttributes({ participant });
  const { handAt } = useContext(StageContext);
  const { quality } = useConnectionQualityIndicator({ participant });
  const link = linkOf(attributes);
  const state = linkState(link, quality);
  const words = link === undefined ? '' : otherLinkWords(name, link);
  return (
    <>
      {handAt({ identity: participant.identity, attributes }) > 0 && (
        <span className="tile-hand" role="img" aria-label={t('people.hand')} data-testid="tile-hand">
          <Icon name="hand" />
        </span>
      )}
      {state !== undefined && (
        <span
          className={`tile-link tile-link-${state}`}
          role="img"
          aria-label={words === '' ? t(state === 'lost' ? 'link.lost' : 'link.poor') : words}
          title={words}
          data-testid="tile-link"
          data-state={state}
        >
          <Icon name={state === 'lost' ? 'link-lost' : 'link-poor'} />
        </span>
      )}
    </>
  );
}

/** What only a large picture offers. */
function LargeButtons({ zoom }: { zoom: ZoomControl }) {
  const zoomed = zoom.zoom.scale > 1;
  return (
    <>
      {CAN_POP_OUT && (
        <IconButton
          look="floating"
          icon="pop-out"
          label={t('tile.popOut')}
          testId="pop-out"
          onPress={popOut}
        />
      )}
      {zoomed && (
        <>
          <IconButton
            look="floating"
            icon="whole"
            label={t('tile.whole')}
            shortcut="0"
            testId="zoom-whole"
            onPress={zoom.whole}
          />
          <IconButton
            look="floating"
            icon="zoom-out"
            label={t('tile.zoomOut')}
            shortcut="-"
            testId="zoom-out"
            onPress={zoom.out}
          />
        </>
      )}
      <IconButton
        look="floating"
        icon="zoom-in"
        label={t('tile.zoomIn')}
        shortcut="+"
        testId="zoom-in"
        onPress={zoom.in}
      />
    </>
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

function zoomTransform(zoom: ZoomControl, isScreen: boolean, isLocal: boolean): string {
  // The user's own camera is mirrored, also while it is zoomed.
  return (!isScreen && isLocal ? 'scaleX(-1) ' : '') + transformOf(zoom.zoom);
}

function pictureClass(isScreen: boolean, isLocal: boolean): string {
  if (isScreen) return 'picture-whole';
  return isLocal ? 'picture-filling mirrored' : 'picture-filling';
}
