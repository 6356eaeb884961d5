import { useTrackVolume } from '@livekit/components-react';
import type { LocalAudioTrack } from 'livekit-client';

// The client library measures the root mean square over all frequencies up to 24 kHz, each clipped at -80 dB. A voice
// fills the third of them up to about 8 kHz: that is a full bar.
const FULL = Math.sqrt(1 / 3);

/** The level of the microphone as a bar. */
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
