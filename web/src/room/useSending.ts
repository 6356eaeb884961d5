import type { Room } from 'livekit-client';
import { useEffect, useRef } from 'react';

import { showName, startSending, type Sending } from '../client/media/sending/room';
import { t } from '../client/text/catalogue';
import { publishWords } from '../client/words';

/** Set the name and publish the devices chosen in the lobby, once for each room. */
export function useSending(
  room: Room,
  name: string,
  sending: Sending,
  report: (words: string) => void,
): void {
  const started = useRef<Room>(undefined);
  useEffect(() => {
    // React runs effects twice in development, but tracks can be published only once.
    if (started.current === room) return;
    started.current = room;
    void showName(room, name).then((shown) => {
      if (!shown) report(t('problem.name'));
    });
    void startSending(room, sending, (kind, error) => {
      report(publishWords(kind, error, window.isSecureContext));
    });
  }, [room, name, sending, report]);
}
