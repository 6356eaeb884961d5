import {
  useLocalParticipant,
  useLocalParticipantPermissions,
  useRoomContext,
} from '@livekit/components-react';
import { useState } from 'react';

import { TRACK_SOURCE, type DeviceKind } from '../../client/media/devices';
import { mayPublish } from '../../client/media/permissions';
import { publishWords } from '../../client/words';
import { DeviceToggle } from '../DeviceToggle';

interface SendButtonProps {
  kind: DeviceKind;
  onNotice: (words: string) => void;
}

/** Turns the camera or microphone on and off while in the room. */
export function SendButton({ kind, onNotice }: SendButtonProps) {
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
      disabled={busy || !mayPublish(permission, TRACK_SOURCE[kind])}
      onToggle={() => void toggle()}
    />
  );
}
