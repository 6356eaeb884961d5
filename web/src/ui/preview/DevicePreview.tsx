import type { DeviceKind } from '../../client/media/devices/devices';
import type { Preview, PreviewState } from '../../client/media/devices/preview';
import { t } from '../../client/text/catalogue';
import { DeviceSelect } from '../controls/DeviceSelect';
import { DeviceToggle } from '../controls/DeviceToggle';
import { CameraPicture } from './CameraPicture';
import { MicMeter } from './MicMeter';

const NO_PICTURE = {
  off: 'lobby.cameraOff',
  opening: 'lobby.cameraOpening',
  failed: 'lobby.cameraFailed',
} as const;

/** Camera picture and microphone level, with a button and a choice of devices for each. */
export function DevicePreview({ preview, devices }: { preview: Preview; devices: PreviewState }) {
  const { camera, microphone } = devices;

  const toggle = (kind: DeviceKind): void => {
    const { state } = devices[kind];
    if (state === 'on' || state === 'opening') preview.turnOff(kind);
    else void preview.start([kind]);
  };
  const choose = (kind: DeviceKind, id: string): void => {
    preview.choose(kind, id);
    void preview.start([kind]);
  };

  // Neither a level nor a choice says anything then, and they would push the form off a small screen.
  const none = camera.state === 'failed' && microphone.state === 'failed';

  return (
    <section className={none ? 'preview preview-none' : 'preview'} aria-label={t('lobby.devices')}>
      <div className="picture">
        {camera.state === 'on' ? (
          <CameraPicture track={camera.track} />
        ) : (
          <p>{t(NO_PICTURE[camera.state])}</p>
        )}
        <div className="picture-buttons">
          <DeviceToggle
            kind="microphone"
            look="floating"
            state={microphone.state}
            testId="lobby-mic"
            onToggle={() => toggle('microphone')}
          />
          <DeviceToggle
            kind="camera"
            look="floating"
            state={camera.state}
            testId="lobby-camera"
            onToggle={() => toggle('camera')}
          />
        </div>
      </div>
      <MicMeter track={microphone.state === 'on' ? microphone.track : undefined} />
      <div className="choices">
        <DeviceSelect
          kind="camera"
          active={activeId(camera)}
          revision={camera.state}
          starting={camera.state === 'opening'}
          onChoose={(id) => choose('camera', id)}
        />
        <DeviceSelect
          kind="microphone"
          active={activeId(microphone)}
          revision={microphone.state}
          starting={microphone.state === 'opening'}
          onChoose={(id) => choose('microphone', id)}
        />
      </div>
    </section>
  );
}

function activeId(slot: PreviewState[DeviceKind]): string {
  return slot.state === 'on' ? (slot.track.mediaStreamTrack.getSettings().deviceId ?? '') : '';
}
