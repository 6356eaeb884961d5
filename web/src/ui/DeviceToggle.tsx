import type { DeviceKind } from '../client/media/devices';
import type { Slot } from '../client/media/preview';
import { Icon } from './Icon';

const ICONS = { camera: ['camera', 'camera-off'], microphone: ['mic', 'mic-off'] } as const;
const LABELS = {
  camera: ['Turn camera off', 'Turn camera on'],
  microphone: ['Turn microphone off', 'Turn microphone on'],
} as const;

interface DeviceToggleProps {
  kind: DeviceKind;
  state: Slot<unknown>['state'];
  testId: string;
  onToggle: () => void;
  disabled?: boolean;
}

/** A round button that turns a device on or off; its label says what pressing it does. */
export function DeviceToggle({ kind, state, testId, onToggle, disabled = false }: DeviceToggleProps) {
  const on = state === 'on' || state === 'opening';
  const label = LABELS[kind][on ? 0 : 1];
  return (
    <button
      type="button"
      className={on ? 'round' : 'round round-off'}
      data-testid={testId}
      data-state={state}
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onToggle}
    >
      <Icon name={ICONS[kind][on ? 0 : 1]} />
    </button>
  );
}
