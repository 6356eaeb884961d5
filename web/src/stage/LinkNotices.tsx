import { useLocalParticipant, useParticipants } from '@livekit/components-react';
import { RoomEvent } from 'livekit-client';

import { linkOf, otherLinkWords, ownLinkWords } from './link';

/** More weak connections than this are told as a number. */
const NAMED = 3;

/** What one's own connection allows; and to whoever shares a screen, whose connection is weak and why. */
export function LinkNotices() {
  const { isScreenShareEnabled } = useLocalParticipant();
  const everybody = useParticipants({
    updateOnlyOn: [
      RoomEvent.ParticipantAttributesChanged,
      RoomEvent.ParticipantConnected,
      RoomEvent.ParticipantDisconnected,
    ],
  });
  const told: string[] = [];
  for (const { attributes, identity, isLocal, name } of everybody) {
    const link = linkOf(attributes);
    if (link === undefined || (!isLocal && !isScreenShareEnabled)) continue;
    const shown = name === undefined || name === '' ? identity : name;
    const words = isLocal ? ownLinkWords(link) : otherLinkWords(shown, link);
    if (words !== '') told.push(words);
  }
  const more = told.length - NAMED;
  return (
    <>
      {told.slice(0, NAMED).map((words) => (
        <p key={words} className="notice" role="status" data-testid="link-notice">
          {words}
        </p>
      ))}
      {more > 0 && <p className="notice">{more} more have a weak connection.</p>}
    </>
  );
}
