import { useId } from 'react';

import { t } from '../../client/text/catalogue';
import { useDeviceList, type SelectableKind } from '../hooks/useDeviceList';

const LABELS = {
  camera: 'device.Camera',
  microphone: 'device.Microphone',
  speaker: 'device.Speaker',
} as const;
const TEST_IDS = { camera: 'select-camera', microphone: 'select-mic', speaker: 'select-speaker' } as const;

interface DeviceSelectProps {
  kind: SelectableKind;
  /** Id of the device in use; empty when there is none. */
  active: string;
  /** Changes when the browser may have named more devices. */
  revision: unknown;
  /** The device is being opened, so its name may not be known yet. */
  starting?: boolean;
  onChoose: (id: string) => void;
}

/** The browser's own list: it is the one control for choosing that works well on every phone. */
export function DeviceSelect({ kind, active, revision, starting = false, onChoose }: DeviceSelectProps) {
  const id = useId();
  const devices = useDeviceList(kind, revision);
  // Until a speaker is chosen, sound comes from the first, which is the system's.
  const inUse = kind === 'speaker' && active === '' ? (devices[0]?.deviceId ?? '') : active;
  const known = devices.some((device) => device.deviceId === inUse);
  const label = t(LABELS[kind]);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        data-testid={TEST_IDS[kind]}
        value={known ? inUse : ''}
        disabled={devices.length === 0}
        onChange={(event) => onChoose(event.target.value)}
      >
        {!known && (
          <option value="" disabled>
            {placeholder(starting, devices.length)}
          </option>
        )}
        {devices.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label === '' ? t('device.numbered', { kind: label, number: index + 1 }) : device.label}
          </option>
        ))}
      </select>
    </div>
  );
}

function placeholder(starting: boolean, count: number): string {
  if (starting) return t('device.starting');
  return count === 0 ? t('device.none') : t('device.choose');
}
