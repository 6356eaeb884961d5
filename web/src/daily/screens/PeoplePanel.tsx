import {
  useIsMuted,
  useLocalParticipant,
  useParticipantAttributes,
  useParticipantInfo,
  useParticipants,
} from '@livekit/components-react';
import { Track, type Participant } from 'livekit-client';

import { hue, initials } from '../../stage/names';
import { Icon } from '../../ui/Icon';
import type { Meeting } from '../call/meeting';
import { isOwner } from '../call/people';
import { Panel } from './Panel';

interface PeoplePanelProps {
  meeting: Meeting;
  /** Identity of the pinned participant; undefined when nobody is pinned. */
  pinned: string | undefined;
  onPin: (identity: string | undefined) => void;
  onClose: () => void;
}

/** The participants; owners can mute and remove them. */
export function PeoplePanel({ meeting, pinned, onPin, onClose }: PeoplePanelProps) {
  const people = useParticipants();
  const { localParticipant } = useLocalParticipant();
  // Render again when the user's rights change.
  useParticipantAttributes({ participant: localParticipant });
  const { administers } = meeting;
  return (
    <Panel title="People" testId="people-panel" onClose={onClose}>
      {administers && people.length > 1 && (
        <div className="actions">
          <button
            type="button"
            className="quiet"
            data-testid="mute-all"
            onClick={() => {
              for (const person of people) {
                if (!person.isLocal) void meeting.changeParticipant(person.identity, { setAudio: false });
              }
            }}
          >
            Mute all others
          </button>
        </div>
      )}
      <ul className="people-list">
        {people.map((person) => (
          <PersonRow
            key={person.identity}
            person={person}
            meeting={meeting}
            administers={administers}
            pinned={person.identity === pinned}
            onPin={(wanted) => onPin(wanted ? person.identity : undefined)}
          />
        ))}
      </ul>
    </Panel>
  );
}

interface PersonRowProps {
  person: Participant;
  meeting: Meeting;
  administers: boolean;
  pinned: boolean;
  onPin: (wanted: boolean) => void;
}

function PersonRow({ person, meeting, administers, pinned, onPin }: PersonRowProps) {
  const { name } = useParticipantInfo({ participant: person });
  useParticipantAttributes({ participant: person });
  const muted = useIsMuted({ participant: person, source: Track.Source.Microphone });
  const shown = name === undefined || name === '' ? 'Guest' : name;
  const note = [person.isLocal && 'you', isOwner(person) && 'host'].filter(Boolean).join(', ');
  return (
    <li className="person" data-testid="person" data-identity={person.identity}>
      <span
        className="person-face"
        aria-hidden="true"
        style={{ backgroundColor: `hsl(${hue(person.identity)} 38% 36%)` }}
      >
        {initials(shown)}
      </span>
      <span className="person-name">
        {shown}
        {note !== '' && <span className="soft"> ({note})</span>}
      </span>
      <button
        type="button"
        className={pinned ? 'bare bare-active' : 'bare'}
        data-testid="pin-person"
        aria-pressed={pinned}
        aria-label={`Show ${shown} large`}
        title={`Show ${shown} large`}
        onClick={() => onPin(!pinned)}
      >
        <Icon name="pin" />
      </button>
      {administers && !person.isLocal ? (
        <>
          <button
            type="button"
            className="bare"
            data-testid="mute-person"
            disabled={muted}
            aria-label={muted ? `${shown} is muted` : `Mute ${shown}`}
            title={muted ? `${shown} is muted` : `Mute ${shown}`}
            onClick={() => void meeting.changeParticipant(person.identity, { setAudio: false })}
          >
            <Icon name={muted ? 'mic-off' : 'mic'} />
          </button>
          <button
            type="button"
            className="bare"
            data-testid="remove-person"
            aria-label={`Remove ${shown} from the meeting`}
            title={`Remove ${shown} from the meeting`}
            onClick={() => void meeting.changeParticipant(person.identity, { eject: true })}
          >
            <Icon name="remove" />
          </button>
        </>
      ) : (
        <span className="person-mic" role="img" aria-label={muted ? 'Microphone off' : 'Microphone on'}>
          <Icon name={muted ? 'mic-off' : 'mic'} />
        </span>
      )}
    </li>
  );
}
