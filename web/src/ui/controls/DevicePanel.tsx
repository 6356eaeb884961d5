import {
  useLocalParticipant,
  useLocalParticipantPermissions,
  useRoomContext,
} from '@livekit/components-react';
import { useEffect, useState } from 'react';

import { BROWSER_KIND, deviceInUse, SOURCE } from '../../client/media/room';
import { DeviceSelect } from '../DeviceSelect';
import { publishWords, type DeviceKind } from '../../client/words';
import { maySend } from '../../client/media/permissions';
import { SpeakerSelect } from './SpeakerSelect';

interface DevicePanelProps {
  onNotice: (words: string) => void;
  onDevice: (kind: DeviceKind, id: string) => void;
  onClose: () => void;
}

/** Another camera, microphone or speaker during the lesson. */
export function DevicePanel({ onNotice, onDevice, onClose }: DevicePanelProps) {
  const permission = useLocalParticipantPermissions();
  useEscape(onClose);
  return (
    <section id="device-panel" className="panel card" aria-label="Devices">
      {(['camera', 'microphone'] as const)
        .filter((kind) => maySend(permission, SOURCE[kind]))
        .map((kind) => (
          <Choice key={kind} kind={kind} onNotice={onNotice} onDevice={onDevice} />
        ))}
      <SpeakerSelect />
    </section>
  );
}

function Choice({ kind, onNotice, onDevice }: Omit<DevicePanelProps, 'onClose'> & { kind: DeviceKind }) {
  const room = useRoomContext();
  const { cameraTrack, microphoneTrack } = useLocalParticipant();
  const publication = kind === 'camera' ? cameraTrack : microphoneTrack;
  // What was chosen here counts from the choice on; the track tells it only once it has switched.
  const [chosen, setChosen] = useState<string>();

  const choose = async (id: string): Promise<void> => {
    try {
      await room.switchActiveDevice(BROWSER_KIND[kind], id);
      setChosen(id);
      onDevice(kind, id);
      onNotice('');
    } catch (error) {
      onNotice(publishWords(kind, error, window.isSecureContext));
    }
  };
  return (
    <DeviceSelect
      kind={kind}
      active={chosen ?? deviceInUse(room, kind)}
      revision={publication}
      onChoose={(id) => void choose(id)}
    />
  );
}

function useEscape(onEscape: () => void): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') onEscape();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [onEscape]);
}
