import { useLocalParticipantPermissions, useRoomContext } from '@livekit/components-react';
import { Track } from 'livekit-client';
import { useCallback, useState } from 'react';

import type { DeviceKind } from '../client/media/devices';
import { mayPublish } from '../client/media/permissions';
import { DevicePanel } from '../ui/controls/DevicePanel';
import { CAN_SHARE, ScreenButton } from '../ui/controls/ScreenButton';
import { SendButton } from '../ui/controls/SendButton';
import { Icon } from '../ui/Icon';
import { LinkButton } from './LinkButton';

interface ControlsProps {
  onNotice: (words: string) => void;
  onDevice: (kind: DeviceKind, id: string) => void;
}

/** The row of buttons below the tiles. */
export function Controls({ onNotice, onDevice }: ControlsProps) {
  const room = useRoomContext();
  const permission = useLocalParticipantPermissions();
  const [choosing, setChoosing] = useState(false);
  const close = useCallback(() => setChoosing(false), []);
  return (
    <footer className="controls">
      {choosing && <DevicePanel onNotice={onNotice} onDevice={onDevice} onClose={close} />}
      <div className="buttons">
        <SendButton kind="microphone" onNotice={onNotice} />
        <SendButton kind="camera" onNotice={onNotice} />
        {CAN_SHARE && mayPublish(permission, Track.Source.ScreenShare) && (
          <ScreenButton onNotice={onNotice} />
        )}
        <button
          type="button"
          className="round"
          data-testid="toggle-devices"
          aria-label="Choose devices"
          title="Choose devices"
          aria-expanded={choosing}
          aria-controls="device-panel"
          onClick={() => setChoosing(!choosing)}
        >
          <Icon name="devices" />
        </button>
        <LinkButton onNotice={onNotice} />
        <button
          type="button"
          className="leave"
          data-testid="leave"
          title="Leave the lesson"
          onClick={() => void room.disconnect()}
        >
          <Icon name="leave" />
          Leave
        </button>
      </div>
      {permission?.canPublish === false && <p className="hint">You can watch and listen in this lesson.</p>}
    </footer>
  );
}
