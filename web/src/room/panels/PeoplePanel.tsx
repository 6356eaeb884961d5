import {
  useIsMuted,
  useParticipantAttributes,
  useParticipantInfo,
  useParticipants,
} from '@livekit/components-react';
import { Track, type Participant } from 'livekit-client';
import { useContext, useState } from 'react';

import { t } from '../../client/text/catalogue';
import { hue, initials } from '../../stage/names';
import { StageContext } from '../../stage/rules';
import { Button } from '../../ui/controls/Button';
import { Confirm } from '../../ui/surfaces/Confirm';
import { Icon } from '../../ui/controls/Icon';
import { IconButton } from '../../ui/controls/IconButton';
import { Panel } from '../../ui/surfaces/Panel';
import type { Moderation } from '../wire';
import { orderPeople } from './orderPeople';

interface PeoplePanelProps {
  moderation: Moderation;
  /** The pinned tile; undefined when none is pinned. */
  pinned: string | undefined;
  onPin: (identity: string | undefined) => void;
  onClose: () => void;
}

/** The participants, raised hands first; hosts can mute and remove them. */
export function PeoplePanel({ moderation, pinned, onPin, onClose }: PeoplePanelProps) {
  const people = useParticipants();
  const { handAt } = useContext(StageContext);
  const [leaving, setLeaving] = useState<{ identity: string; name: string }>();
  const allowed = moderation.allowed();
  return (
    <Panel title={t('control.people')} testId="people-panel" onClose={onClose}>
      {allowed && people.length > 1 && (
        <div className="actions">
          <Button
            look="quiet"
            icon="mic-off"
            testId="mute-all"
            onPress={() => {
              for (const person of people) if (!person.isLocal) void moderation.mute(person.identity);
            }}
          >
            {t('people.muteAll')}
          </Button>
        </div>
      )}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- reachable by keyboard, because it scrolls */}
      <ul className="people-list" aria-label={t('control.people')} tabIndex={0}>
        {orderPeople(people, handAt).map((person) => (
          <PersonRow
            key={person.identity}
            person={person}
            moderation={moderation}
            allowed={allowed}
            pinned={person.identity === pinned}
            onPin={(wanted) => onPin(wanted ? person.identity : undefined)}
            onRemove={(name) => setLeaving({ identity: person.identity, name })}
          />
        ))}
      </ul>
      {leaving !== undefined && (
        <RemoveDialog
          name={leaving.name}
          onConfirm={() => {
            setLeaving(undefined);
            void moderation.remove(leaving.identity);
          }}
          onCancel={() => setLeaving(undefined)}
        />
      )}
    </Panel>
  );
}

interface PersonRowProps {
  person: Participant;
  moderation: Moderation;
  allowed: boolean;
  pinned: boolean;
  onPin: (wanted: boolean) => void;
  onRemove: (name: string) => void;
}

function PersonRow({ person, moderation, allowed, pinned, onPin, onRemove }: PersonRowProps) {
  const { name } = useParticipantInfo({ participant: person });
  const { attributes = {} } = useParticipantAttributes({ participant: person });
  const { handAt } = useContext(StageContext);
  const muted = useIsMuted({ participant: person, source: Track.Source.Microphone });
  const shown = name === undefined || name === '' ? t('guest') : name;
  const note = [person.isLocal && t('people.you'), moderation.isHost(person) && t('people.host')]
    .filter(Boolean)
    .join(', ');
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
      {handAt({ identity: person.identity, attributes }) > 0 && (
        <span className="tile-hand" role="img" aria-label={t('people.hand')}>
          <Icon name="hand" />
        </span>
      )}
      <IconButton
        look="bare"
        icon={pinned ? 'unpin' : 'pin'}
        active={pinned}
        pressed={pinned}
        label={t(pinned ? 'people.unpin' : 'people.pin', { name: shown })}
        testId="pin-person"
        onPress={() => onPin(!pinned)}
      />
      {allowed && !person.isLocal ? (
        <>
          <IconButton
            look="bare"
            icon={muted ? 'mic-off' : 'mic'}
            label={t(muted ? 'people.isMuted' : 'people.mute', { name: shown })}
            testId="mute-person"
            disabled={muted}
            onPress={() => void moderation.mute(person.identity)}
          />
          <IconButton
            look="bare"
            icon="remove"
            label={t('people.remove', { name: shown })}
            testId="remove-person"
            onPress={() => onRemove(shown)}
          />
        </>
      ) : (
        <span className="person-mic" role="img" aria-label={t(muted ? 'people.micOff' : 'people.micOn')}>
          <Icon name={muted ? 'mic-off' : 'mic'} />
        </span>
      )}
    </li>
  );
}

interface RemoveDialogProps {
  name: string;
  onConfirm: () => void;
  onCancel: () => void;
}

/** Removing cannot be undone, so it asks. */
export function RemoveDialog({ name, onConfirm, onCancel }: RemoveDialogProps) {
  return (
    <Confirm
      title={t('people.removeTitle', { name })}
      detail={t('people.removeDetail', { name })}
      action={t('people.removeConfirm')}
      testId="remove-dialog"
      confirmId="remove-confirm"
      cancelId="remove-cancel"
      onConfirm={onConfirm}
      onCancel={onCancel}
    />
  );
}
