import { describe, expect, it } from 'vitest';

import { deviceProblem } from './devices';

describe('deviceProblem', () => {
  it.each([
    ['NotAllowedError', 'denied'],
    ['SecurityError', 'denied'],
    ['NotFoundError', 'missing'],
    ['OverconstrainedError', 'missing'],
    ['NotReadableError', 'busy'],
    ['AbortError', 'busy'],
    ['InvalidStateError', 'other'],
  ])('%s is %s', (name, problem) => {
    expect(deviceProblem(new DOMException('', name))).toBe(problem);
  });
  it('accepts anything that was thrown', () => {
    expect(deviceProblem('thrown text')).toBe('other');
    expect(deviceProblem(undefined)).toBe('other');
  });
});
