import type { LocalAudioTrack } from 'livekit-client';
import { useEffect, useRef } from 'react';

import { loudness } from '../../client/media/devices/loudness';
import { t } from '../../client/text/catalogue';

/** The level of the microphone as a bar, and what it means in words. */
export function MicMeter({ track }: { track: LocalAudioTrack | undefined }) {
  const meter = useRef<HTMLDivElement>(null);
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const show = (level: number): void => {
      // Written to the elements directly: at this rate, rendering would cost more than measuring.
      meter.current?.setAttribute('aria-valuenow', String(Math.round(level * 100)));
      bar.current?.style.setProperty('transform', `scaleX(${level.toFixed(2)})`);
    };
    show(0);
    if (track === undefined) return undefined;
    return measure(track.mediaStreamTrack, show);
  }, [track]);
  return (
    <div className="meter-field">
      <div
        ref={meter}
        className="meter"
        role="meter"
        aria-label={t('lobby.level')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={0}
        data-testid="lobby-level"
      >
        <div ref={bar} className="meter-bar" />
      </div>
      <p className="soft">{t(track === undefined ? 'lobby.levelOff' : 'lobby.levelHint')}</p>
    </div>
  );
}

const INTERVAL_MS = 80;

/** Report the level of a track until the returned function is called. */
function measure(track: MediaStreamTrack, report: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = window.setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    report(loudness(samples));
  }, INTERVAL_MS);
  return () => {
    window.clearInterval(timer);
    void context.close();
  };
}
