import { useId } from 'react';

import type { DeviceKind } from '../client/media/devices';
import { useDeviceList } from './useDeviceList';

const LABELS: Readonly<Record<DeviceKind, string>> = { camera: 'Camera', microphone: 'Microphone' };

interface DeviceSelectProps {
  kind: DeviceKind;
  /** Id of the device in use; empty when there is none. */
  active: string;
  /** Changes when the browser may have named more devices. */
  revision: unknown;
  onChoose: (id: string) => void;
}

export function DeviceSelect({ kind, active, revision, onChoose }: DeviceSelectProps) {
  const id = useId();
  const devices = useDeviceList(kind, revision);
  const known = devices.some((device) => device.deviceId === active);
  return (
    <div className="field">
      <label htmlFor={id}>{LABELS[kind]}</label>
      <select
        id={id}
        data-testid={kind === 'camera' ? 'select-camera' : 'select-mic'}
        value={known ? active : ''}
        disabled={devices.length === 0}
        onChange={(event) => onChoose(event.target.value)}
      >
        {!known && (
          <option value="" disabled>
            {devices.length === 0 ? 'None found' : 'Choose…'}
          </option>
        )}
        {devices.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label === '' ? `${LABELS[kind]} ${index + 1}` : device.label}
          </option>
        ))}
      </select>
    </div>
  );
}
