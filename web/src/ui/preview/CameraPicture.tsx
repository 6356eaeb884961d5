import type { LocalVideoTrack } from 'livekit-client';
import { useEffect, useRef } from 'react';

import { t } from '../../client/text/catalogue';

/** The user's own camera, mirrored: people know themselves from mirrors. */
export function CameraPicture({ track }: { track: LocalVideoTrack }) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = element.current;
    if (video === null) return undefined;
    track.attach(video);
    return () => {
      track.detach(video);
    };
  }, [track]);
  return (
    <video
      ref={element}
      className="mirrored"
      muted
      playsInline
      aria-label={t('lobby.ownCamera')}
      data-testid="lobby-preview"
    />
  );
}
