/** Cameras and microphones: their names in the page and in browsers, and how they fail. */

export type DeviceKind = 'camera' | 'microphone';
export type DeviceProblem = 'denied' | 'missing' | 'busy' | 'insecure' | 'lost' | 'other';

/** The browsers' name of a kind of device (`MediaDeviceInfo.kind`). */
export const MEDIA_DEVICE_KIND: Readonly<Record<DeviceKind, MediaDeviceKind>> = {
  camera: 'videoinput',
  microphone: 'audioinput',
};

// Media Capture and Streams, 10.2.5 (getUserMedia), defines these names.
const PROBLEM_OF_ERROR: Readonly<Record<string, DeviceProblem>> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'busy',
  AbortError: 'busy',
};

/** Classify the error that getUserMedia threw. */
export function deviceProblem(error: unknown): DeviceProblem {
  return PROBLEM_OF_ERROR[error instanceof Error ? error.name : ''] ?? 'other';
}
