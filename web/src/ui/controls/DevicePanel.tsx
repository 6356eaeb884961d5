import {
  useLocalParticipant,
  useLocalParticipantPermissions,
  useRoomContext,
} from '@livekit/components-react';
import { useState } from 'react';

import { MEDIA_DEVICE_KIND, TRACK_SOURCE, type DeviceKind } from '../../client/media/devices';
import { mayPublish } from '../../client/media/permissions';
import { deviceInUse } from '../../client/media/room';
import { publishWords } from '../../client/words';
import { DeviceSelect } from '../DeviceSelect';
import { useEscape } from '../useEscape';
import { SpeakerSelect } from './SpeakerSelect';

interface DevicePanelProps {
  onNotice: (words: string) => void;
  onDevice: (kind: DeviceKind, id: string) => void;
  onClose: () => void;
}

/** Choose another camera, microphone or speaker while in the room. */
export function DevicePanel({ onNotice, onDevice, onClose }: DevicePanelProps) {
  const permission = useLocalParticipantPermissions();
  useEscape(onClose);
  return (
    <section id="device-panel" className="panel card" aria-label="Devices">
      {(['camera', 'microphone'] as const)
        .filter((kind) => mayPublish(permission, TRACK_SOURCE[kind]))
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
  // The track names its new device only once it has switched; until then this choice is shown.
  const [chosen, setChosen] = useState<string>();

  const choose = async (id: string): Promise<void> => {
    try {
      await room.switchActiveDevice(MEDIA_DEVICE_KIND[kind], id);
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
