import {
  isTrackReference,
  useLocalParticipant,
  useRoomContext,
  useStartAudio,
  useTracks,
  VideoTrack,
} from '@livekit/components-react';
import { Track } from 'livekit-client';

import { t } from '../client/text/catalogue';
import { Button } from '../ui/controls/Button';
import { Icon } from '../ui/controls/Icon';
import { IconButton } from '../ui/controls/IconButton';
import type { Toggle } from './controls/useMedia';
import { LinkNotices } from './LinkNotices';

interface NoticesProps {
  notice: string;
  screen: Toggle;
  saver: Toggle;
  onDismiss: () => void;
}

/** Notices that remain while their reason lasts. They lie over the tiles, so that nothing moves when they appear. */
export function Notices({ notice, screen, saver, onDismiss }: NoticesProps) {
  const { mergedProps, canPlayAudio } = useStartAudio({ room: useRoomContext(), props: {} });
  return (
    <>
      {screen.on && (
        <div className="notice notice-accent" role="status" data-testid="sharing">
          <OwnScreen />
          <p>{t('notice.sharing')}</p>
          {screen.toggle !== undefined && (
            <Button look="quiet" testId="stop-sharing" onPress={screen.toggle}>
              {t('notice.stopSharing')}
            </Button>
          )}
        </div>
      )}
      {saver.on && (
        <div className="notice" role="status" data-testid="saver-notice">
          <Icon name="saver" />
          <p>{t('notice.saver')}</p>
          <Button look="quiet" testId="saver-off" onPress={() => saver.toggle?.()}>
            {t('notice.saverOff')}
          </Button>
        </div>
      )}
      <LinkNotices />
      {!canPlayAudio && (
        <div className="notice">
          <p>{t('notice.sound')}</p>
          <button
            type="button"
            className="button button-primary"
            data-testid="start-audio"
            onClick={mergedProps.onClick}
          >
            {t('notice.soundOn')}
          </button>
        </div>
      )}
      {notice !== '' && (
        <div className="notice" role="alert" data-testid="notice">
          <p>{notice}</p>
          <IconButton look="bare" icon="close" label={t('action.closeMessage')} onPress={onDismiss} />
        </div>
      )}
    </>
  );
}

/**
 * A small picture of what the user shares, so that they notice when it is the wrong window. It is no tile, because a shared
 * browser window shows itself within itself, which is only bearable this small.
 */
function OwnScreen() {
  const { localParticipant } = useLocalParticipant();
  const own = useTracks([Track.Source.ScreenShare], { onlySubscribed: false }).find(
    ({ participant }) => participant.identity === localParticipant.identity,
  );
  if (own === undefined || !isTrackReference(own)) return <Icon name="screen" />;
  return (
    <VideoTrack
      trackRef={own}
      className="own-screen"
      aria-label={t('notice.ownScreen')}
      data-testid="own-screen"
    />
  );
}
