/** The level of a microphone for a meter. */

// Speech at a usual distance has a root mean square of about -20 dBFS; a quiet room is below -55.
const SILENT_DB = -55;
const FULL_DB = -14;

/** The level of samples (-1 to 1) on a scale from 0, a quiet room, to 1, loud speech. */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  if (sum === 0) return 0;
  const decibels = 10 * Math.log10(sum / samples.length);
  return Math.min(1, Math.max(0, (decibels - SILENT_DB) / (FULL_DB - SILENT_DB)));
}
