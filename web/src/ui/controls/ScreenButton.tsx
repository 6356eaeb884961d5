import { useLocalParticipant, useRoomContext } from '@livekit/components-react';
import { useState } from 'react';

import { SCREEN_CAPTURE } from '../../client/media/room';
import { screenWords } from '../../client/words';
import { Icon } from '../Icon';

// Browsers on phones cannot share the screen, and pages without https have no `mediaDevices` at all.
export const CAN_SHARE = 'getDisplayMedia' in ((navigator.mediaDevices as MediaDevices | undefined) ?? {});

/** Starts and stops sharing the screen. */
export function ScreenButton({ onNotice }: { onNotice: (words: string) => void }) {
  const room = useRoomContext();
  const { isScreenShareEnabled: sharing } = useLocalParticipant();
  const [busy, setBusy] = useState(false);

  const toggle = async (): Promise<void> => {
    setBusy(true);
    try {
      await room.localParticipant.setScreenShareEnabled(!sharing, SCREEN_CAPTURE);
    } catch (error) {
      onNotice(screenWords(error) ?? '');
    } finally {
      setBusy(false);
    }
  };

  const label = sharing ? 'Stop sharing your screen' : 'Share your screen';
  return (
    <button
      type="button"
      className={sharing ? 'round round-active' : 'round'}
      data-testid="toggle-screen"
      data-state={sharing ? 'on' : 'off'}
      aria-label={label}
      title={label}
      disabled={busy}
      onClick={() => void toggle()}
    >
      <Icon name={sharing ? 'screen-stop' : 'screen'} />
    </button>
  );
}
