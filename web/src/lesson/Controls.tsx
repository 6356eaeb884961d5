import {
  useLocalParticipant,
  useLocalParticipantPermissions,
  useRoomContext,
} from '@livekit/components-react';
import { Track } from 'livekit-client';
import { useCallback, useState } from 'react';

import { SOURCE } from '../room';
import { DeviceToggle } from '../ui/DeviceToggle';
import { Icon } from '../ui/Icon';
import { publishWords, type DeviceKind } from '../words';
import { DevicePanel } from './DevicePanel';
import { LinkButton } from './LinkButton';
import { maySend } from '../permissions';
import { ScreenButton } from './ScreenButton';

interface ControlsProps {
  onNotice: (words: string) => void;
  onDevice: (kind: DeviceKind, id: string) => void;
}

// Phones' browsers cannot share their screens, and pages without https have no devices at all.
const CAN_SHARE = 'getDisplayMedia' in ((navigator.mediaDevices as MediaDevices | undefined) ?? {});

/** The row of buttons below the lesson. */
export function Controls({ onNotice, onDevice }: ControlsProps) {
  const room = useRoomContext();
  const permission = useLocalParticipantPermissions();
  const [choosing, setChoosing] = useState(false);
  const close = useCallback(() => setChoosing(false), []);
  const mayUseDevice = maySend(permission, SOURCE.camera) || maySend(permission, SOURCE.microphone);
  return (
    <footer className="controls">
      {choosing && <DevicePanel onNotice={onNotice} onDevice={onDevice} onClose={close} />}
      <div className="buttons">
        <SendButton kind="microphone" onNotice={onNotice} />
        <SendButton kind="camera" onNotice={onNotice} />
        {CAN_SHARE && maySend(permission, Track.Source.ScreenShare) && <ScreenButton onNotice={onNotice} />}
        {mayUseDevice && (
          <button
            type="button"
            className="round"
            data-testid="toggle-devices"
            aria-label="Choose camera and microphone"
            title="Choose camera and microphone"
            aria-expanded={choosing}
            aria-controls="device-panel"
            onClick={() => setChoosing(!choosing)}
          >
            <Icon name="devices" />
          </button>
        )}
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

/** Send from a device, or stop. */
function SendButton({ kind, onNotice }: Pick<ControlsProps, 'onNotice'> & { kind: DeviceKind }) {
  const room = useRoomContext();
  const { isCameraEnabled, isMicrophoneEnabled } = useLocalParticipant();
  const permission = useLocalParticipantPermissions();
  const [busy, setBusy] = useState(false);
  const sending = kind === 'camera' ? isCameraEnabled : isMicrophoneEnabled;

  const toggle = async (): Promise<void> => {
    setBusy(true);
    try {
      const me = room.localParticipant;
      await (kind === 'camera' ? me.setCameraEnabled(!sending) : me.setMicrophoneEnabled(!sending));
      onNotice('');
    } catch (error) {
      onNotice(publishWords(kind, error, window.isSecureContext));
    } finally {
      setBusy(false);
    }
  };

  return (
    <DeviceToggle
      kind={kind}
      state={sending ? 'on' : 'off'}
      testId={kind === 'camera' ? 'toggle-camera' : 'toggle-mic'}
      disabled={busy || !maySend(permission, SOURCE[kind])}
      onToggle={() => void toggle()}
    />
  );
}
