import { useMediaDeviceSelect, useRoomContext } from '@livekit/components-react';
import { useId } from 'react';

/** Choose the speaker. Shows nothing in browsers that do not let a page choose. */
export function SpeakerSelect() {
  const id = useId();
  const room = useRoomContext();
  const { devices, activeDeviceId, setActiveMediaDevice } = useMediaDeviceSelect({
    kind: 'audiooutput',
    room,
  });
  const named = devices.filter((device) => device.deviceId !== '');
  if (named.length === 0 || !('setSinkId' in HTMLMediaElement.prototype)) return null;
  const known = named.some((device) => device.deviceId === activeDeviceId);
  return (
    <div className="field">
      <label htmlFor={id}>Speaker</label>
      <select
        id={id}
        data-testid="select-speaker"
        value={known ? activeDeviceId : named[0]?.deviceId}
        onChange={(event) => void setActiveMediaDevice(event.target.value)}
      >
        {named.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label === '' ? `Speaker ${index + 1}` : device.label}
          </option>
        ))}
      </select>
    </div>
  );
}
