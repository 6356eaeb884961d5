import { useTrackVolume } from '@livekit/components-react';
import type { LocalAudioTrack } from 'livekit-client';

// The client's measure is the root mean square over all frequencies up to 24 kHz, each clipped at -80 dB. A voice fills
// them up to about 8 kHz, a third of them: that is the whole bar.
const FULL = Math.sqrt(1 / 3);

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
