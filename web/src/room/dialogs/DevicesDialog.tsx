import {
  useLocalParticipant,
  useLocalParticipantPermissions,
  useRoomContext,
} from '@livekit/components-react';
import { useState } from 'react';

import { MEDIA_DEVICE_KIND, type DeviceKind } from '../../client/media/devices/devices';
import { TRACK_SOURCE } from '../../client/media/devices/trackSource';
import { mayPublish } from '../../client/media/devices/permissions';
import { deviceInUse } from '../../client/media/sending/room';
import { t } from '../../client/text/catalogue';
import { publishWords } from '../../client/words';
import { BlurSwitch } from '../../ui/controls/BlurSwitch';
import { DeviceSelect } from '../../ui/controls/DeviceSelect';
import { Dialog } from '../../ui/surfaces/Dialog';
import { LanguageSelect } from '../../ui/controls/LanguageSelect';
import { SpeakerTest } from '../../ui/preview/SpeakerTest';

interface DevicesDialogProps {
  onNotice: (words: string) => void;
  onDevice: (kind: DeviceKind, id: string) => void;
  onClose: () => void;
}

/** Choose another camera, microphone, speaker or language while in the room. */
export function DevicesDialog({ onNotice, onDevice, onClose }: DevicesDialogProps) {
  const room = useRoomContext();
  const permission = useLocalParticipantPermissions();
  const [speaker, setSpeaker] = useState(() => room.getActiveDevice('audiooutput') ?? '');
  return (
    <Dialog title={t('devices.title')} testId="devices-dialog" onClose={onClose}>
      <div className="fields">
        {(['camera', 'microphone'] as const)
          .filter((kind) => mayPublish(permission, TRACK_SOURCE[kind]))
          .map((kind) => (
            <Choice key={kind} kind={kind} onNotice={onNotice} onDevice={onDevice} />
          ))}
        <BlurSwitch />
        <SpeakerTest
          speaker={speaker}
          revision={undefined}
          onChoose={(id) => {
            setSpeaker(id);
            void room.switchActiveDevice('audiooutput', id).catch(() => undefined);
          }}
        />
        <LanguageSelect />
      </div>
    </Dialog>
  );
}

function Choice({ kind, onNotice, onDevice }: Omit<DevicesDialogProps, 'onClose'> & { kind: DeviceKind }) {
  const room = useRoomContext();
  const { cameraTrack, microphoneTrack } = useLocalParticipant();
  const publication = kind === 'camera' ? cameraTrack : microphoneTrack;
  // The track reports its new device only after it has switched; until then this choice is shown.
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
