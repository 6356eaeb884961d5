import { useLocalParticipant, useParticipants } from '@livekit/components-react';
import { RoomEvent } from 'livekit-client';

import { t } from '../client/text/catalogue';
import { linkOf, otherLinkWords, ownLinkWords } from '../stage/link';
import { shownName } from '../stage/names';

/** How many weak connections are described one by one; the rest are counted. */
const NAMED = 3;

/** The limits of the user's own connection; and, for a participant who shares a screen, the people with weak connections. */
export function LinkNotices() {
  const { isScreenShareEnabled } = useLocalParticipant();
  const everybody = useParticipants({
    updateOnlyOn: [
      RoomEvent.ParticipantAttributesChanged,
      RoomEvent.ParticipantConnected,
      RoomEvent.ParticipantDisconnected,
    ],
  });
  const found: string[] = [];
  for (const participant of everybody) {
    const link = linkOf(participant.attributes);
    if (link === undefined || (!participant.isLocal && !isScreenShareEnabled)) continue;
    const words = participant.isLocal ? ownLinkWords(link) : otherLinkWords(shownName(participant), link);
    if (words !== '') found.push(words);
  }
  const more = found.length - NAMED;
  return (
    <>
      {found.slice(0, NAMED).map((words) => (
        <p key={words} className="notice" role="status" data-testid="link-notice">
          {words}
        </p>
      ))}
      {more > 0 && <p className="notice">{t('link.more', { count: more })}</p>}
    </>
  );
}
