import { useTrackVolume } from '@livekit/components-react';
import type { LocalAudioTrack } from 'livekit-client';

// Speech at arm's length measures 0.1 to 0.3 of full scale: a third of the scale is the whole bar.
const FULL = 1 / 3;

/** How loud the microphone hears its user. */
export function MicMeter({ track }: { track: LocalAudioTrack | undefined }) {
  const volume = useTrackVolume(track);
  const level = track === undefined ? 0 : Math.min(1, volume / FULL);
  return (
    <div
      className="meter"
      role="meter"
      aria-label="Microphone level"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(level * 100)}
      data-testid="lobby-level"
    >
      <div className="meter-bar" style={{ transform: `scaleX(${level.toFixed(2)})` }} />
    </div>
  );
}
