import type { DeviceKind, DeviceProblem } from '../../client/media/devices/devices';
import type { PreviewState } from '../../client/media/devices/preview';
import { deviceWords } from '../../client/words';

/** Say what is wrong with the devices. */
export function previewProblems(devices: PreviewState): string[] {
  const problems: Partial<Record<DeviceKind, DeviceProblem>> = {};
  if (devices.camera.state === 'failed') problems.camera = devices.camera.problem;
  if (devices.microphone.state === 'failed') problems.microphone = devices.microphone.problem;
  return deviceWords(problems);
}

/** The failed devices that may work at another attempt; a page without https stays one. */
export function retryableDevices(devices: PreviewState): DeviceKind[] {
  return (['camera', 'microphone'] as const).filter((kind) => {
    const slot = devices[kind];
    return slot.state === 'failed' && slot.problem !== 'insecure';
  });
}
