import type { DeviceKind, DeviceProblem } from '../../client/media/devices';
import type { PreviewState } from '../../client/media/preview';
import { deviceWords } from '../../client/words';

/** What is wrong with the devices, in plain words. */
export function previewProblems(devices: PreviewState): string[] {
  const problems: Partial<Record<DeviceKind, DeviceProblem>> = {};
  if (devices.camera.state === 'failed') problems.camera = devices.camera.problem;
  if (devices.microphone.state === 'failed') problems.microphone = devices.microphone.problem;
  return deviceWords(problems);
}

/** The devices that are worth another attempt: an insecure page stays insecure. */
export function retryableDevices(devices: PreviewState): DeviceKind[] {
  return (['camera', 'microphone'] as const).filter((kind) => {
    const slot = devices[kind];
    return slot.state === 'failed' && slot.problem !== 'insecure';
  });
}
