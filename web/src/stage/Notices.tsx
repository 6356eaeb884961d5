import { useLocalParticipant, useRoomContext, useStartAudio } from '@livekit/components-react';

import { Icon } from '../ui/Icon';
import { LinkNotices } from './LinkNotices';

/** Notices above the tiles: the screen is shared, something failed, or the browser blocks sound until a click. */
export function Notices({ notice, onDismiss }: { notice: string; onDismiss: () => void }) {
  const { mergedProps, canPlayAudio } = useStartAudio({ room: useRoomContext(), props: {} });
  const { isScreenShareEnabled } = useLocalParticipant();
  return (
    <>
      {isScreenShareEnabled && (
        <p className="notice notice-accent" data-testid="sharing">
          <Icon name="screen" />
          Everyone can see your screen.
        </p>
      )}
      <LinkNotices />
      {!canPlayAudio && (
        <div className="notice">
          <p>Your browser has blocked the sound until you allow it.</p>
          <button type="button" className="primary" data-testid="start-audio" onClick={mergedProps.onClick}>
            Turn sound on
          </button>
        </div>
      )}
      {notice !== '' && (
        <div className="notice" role="alert" data-testid="notice">
          <p>{notice}</p>
          <button type="button" className="quiet" aria-label="Close this message" onClick={onDismiss}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </>
  );
}
