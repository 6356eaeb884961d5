import type { DeviceKind } from '../../client/media/devices/devices';
import type { Slot } from '../../client/media/devices/preview';
import { t } from '../../client/text/catalogue';
import { IconButton } from './IconButton';

const ICONS = { camera: ['camera', 'camera-off'], microphone: ['mic', 'mic-off'] } as const;
const LABELS = {
  camera: ['control.cameraOff', 'control.cameraOn'],
  microphone: ['control.micOff', 'control.micOn'],
} as const;
const CAPTIONS = { camera: 'short.camera', microphone: 'short.mic' } as const;

interface DeviceToggleProps {
  kind: DeviceKind;
  state: Slot<unknown>['state'];
  testId: string;
  onToggle: () => void;
  disabled?: boolean;
  look?: 'bar' | 'floating';
  shortcut?: string | undefined;
}

/** Turns a device on or off; its label says what pressing it does. */
export function DeviceToggle(props: DeviceToggleProps) {
  const { kind, state, testId, onToggle, disabled = false, look = 'bar', shortcut } = props;
  const on = state === 'on' || state === 'opening';
  return (
    <IconButton
      icon={ICONS[kind][on ? 0 : 1]}
      label={t(LABELS[kind][on ? 0 : 1])}
      caption={look === 'bar' ? t(CAPTIONS[kind]) : undefined}
      look={look}
      off={!on}
      state={state}
      testId={testId}
      disabled={disabled}
      shortcut={shortcut}
      onPress={onToggle}
    />
  );
}
