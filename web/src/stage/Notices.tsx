import { useLocalParticipant, useRoomContext, useStartAudio } from '@livekit/components-react';

import { Icon } from '../ui/Icon';

/** What somebody has to know or do now: a shared screen, a failure, sound that the browser holds back until a click. */
export function Notices({ notice, onDismiss }: { notice: string; onDismiss: () => void }) {
  const { mergedProps, canPlayAudio } = useStartAudio({ room: useRoomContext(), props: {} });
  const { isScreenShareEnabled } = useLocalParticipant();
  return (
    <>
      {isScreenShareEnabled && (
        <p className="notice notice-accent" data-testid="sharing">
          <Icon name="screen" />
          Everybody in the lesson sees your screen.
        </p>
      )}
      {!canPlayAudio && (
        <div className="notice">
          <p>The browser keeps the lesson silent until you allow sound.</p>
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
