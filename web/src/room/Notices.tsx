import { useRoomContext, useStartAudio } from '@livekit/components-react';

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
          <Icon name="screen" />
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
