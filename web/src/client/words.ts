/** The sentences that say what went wrong with a device or the server, and what people can do about it. */
import { deviceProblem, type DeviceKind, type DeviceProblem } from './media/devices/devices';
import { t } from './text/catalogue';

type Device = 'camera' | 'microphone' | 'both' | 'either';

// When one cause affects both devices, one sentence covers both.
const BOTH: Readonly<Partial<Record<DeviceProblem, Device>>> = {
  denied: 'both',
  missing: 'either',
  insecure: 'either',
};

/** Say what is wrong with the devices, in one sentence for each cause. */
export function deviceWords({ camera, microphone }: Partial<Record<DeviceKind, DeviceProblem>>): string[] {
  const both = camera !== undefined && camera === microphone ? BOTH[camera] : undefined;
  if (camera !== undefined && both !== undefined) return [problemWords(camera, both)];
  const words: string[] = [];
  if (camera !== undefined) words.push(problemWords(camera, 'camera'));
  if (microphone !== undefined) words.push(problemWords(microphone, 'microphone'));
  return words;
}

function problemWords(problem: DeviceProblem, device: Device): string {
  if (problem === 'busy') return t(device === 'camera' ? 'problem.busy.camera' : 'problem.busy.microphone');
  return t(`problem.${problem}`, { device: t(`device.${device}`) });
}

/** Say that the server does not respond. */
export function unreachableWords(): string {
  return t('join.unreachable');
}

/** Say why a device could not be published. `secure`: the page is a secure context. */
export function publishWords(kind: DeviceKind, error: unknown, secure: boolean): string {
  const problem = secure ? deviceProblem(error) : 'insecure';
  if (problem !== 'other') return problemWords(problem, kind);
  return t('problem.publish', { device: t(`device.${kind}`) });
}

/** Say why sharing the screen failed; undefined when the person only closed the browser's picker. */
export function screenWords(error: unknown): string | undefined {
  if (nameOf(error) !== 'NotAllowedError') return t('problem.screen');
  // Only Chromium distinguishes a refusal by the operating system from one by the person, and only in the message.
  const bySystem = error instanceof Error && error.message.includes('by system');
  return bySystem ? t('problem.screenSystem') : undefined;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}
