/** Requests about participants: names, messages, subscriptions and moderation. */
import { RemoteParticipant, RemoteTrackPublication } from 'livekit-client';

import { fieldsOf, isFields, type Fields } from '../../../client/json';
import type { ParticipantChange } from '../../call/door';
import type { Meeting } from '../../call/meeting';
import { findParticipant, TRACK_NAMES, TRACK_SOURCES, USER_DATA } from '../../call/people';
import { inMeeting, optionalText, type Action } from './context';

export const PEOPLE_ACTIONS: Readonly<Record<string, Action>> = {
  'update-participant': inMeeting(({ id, properties }, _reply, { meeting }) => {
    if (typeof id === 'string' && isFields(properties)) return update(meeting, id, properties);
    return undefined;
  }),
  'update-participants': inMeeting(async ({ participants }, _reply, { meeting }) => {
    const { '*': forOthers, ...named } = fieldsOf(participants);
    for (const [id, properties] of Object.entries(named)) {
      if (isFields(properties)) await update(meeting, id, properties);
    }
    if (!isFields(forOthers)) return;
    for (const person of meeting.room.remoteParticipants.values()) {
      if (!(person.identity in named)) await update(meeting, person.identity, forOthers);
    }
  }),
  'app-msg': inMeeting(({ data, to }, _reply, { meeting }) => meeting.sendAppMessage(data, recipients(to))),
  'set-user-name': async ({ name }, reply, { call }) => {
    const { meeting } = call;
    const wanted = optionalText(name) ?? '';
    if (meeting === undefined) call.rename(wanted);
    else await meeting.room.localParticipant.setName(wanted).catch(() => undefined);
    reply({ userName: meeting?.room.localParticipant.name ?? wanted });
  },
  'set-user-data': inMeeting(async ({ userData }, reply, { meeting }) => {
    const text = JSON.stringify(userData ?? null);
    await meeting.room.localParticipant.setAttributes({ [USER_DATA]: text }).catch(() => undefined);
    reply({ userData });
  }),
  'daily-method-subscribe-to-tracks-automatically': inMeeting(({ enabled }, _reply, { meeting }) => {
    meeting.autoSubscribe = enabled !== false;
  }),
  'get-meeting-session': inMeeting(async (_fields, reply, { meeting }) => {
    reply({ meetingSession: { id: await meeting.room.getSid() } });
  }),
};

/** The recipients of an application's message; `*` for everyone. */
export function recipients(to: unknown): readonly string[] | '*' {
  if (Array.isArray(to)) return to.filter((id) => typeof id === 'string');
  return typeof to === 'string' && to !== '*' ? [to] : '*';
}

async function update(meeting: Meeting, id: string, properties: Fields): Promise<void> {
  const person = findParticipant(meeting.room, id);
  if (person instanceof RemoteParticipant) {
    subscribe(person, properties['setSubscribedTracks']);
    const change = changeOf(properties);
    if (Object.keys(change).length > 0) await meeting.changeParticipant(person.identity, change);
    return;
  }
  if (person === undefined) return;
  const { setAudio, setVideo, setScreenShare } = properties;
  if (typeof setAudio === 'boolean') await meeting.setDevice('microphone', setAudio);
  if (typeof setVideo === 'boolean') await meeting.setDevice('camera', setVideo);
  if (setScreenShare === false) await meeting.room.localParticipant.setScreenShareEnabled(false);
}

/** The part of an update that the server carries out. */
export function changeOf(properties: Fields): ParticipantChange {
  const { setAudio, setVideo, setScreenShare, eject, updatePermissions } = properties;
  return {
    ...(typeof setAudio === 'boolean' && { setAudio }),
    ...(typeof setVideo === 'boolean' && { setVideo }),
    ...(setScreenShare === false && { setScreenShare }),
    ...(eject === true && { eject }),
    ...(isFields(updatePermissions) && { updatePermissions: plainPermissions(updatePermissions) }),
  };
}

// JSON has no sets.
function plainPermissions(permissions: Fields): Fields {
  return Object.fromEntries(
    Object.entries(permissions).map(([name, value]) => [name, value instanceof Set ? [...value] : value]),
  );
}

/** Subscribe to all tracks of a participant, to none, or source by source. `staged` means not subscribed. */
function subscribe(person: RemoteParticipant, wanted: unknown): void {
  if (wanted === undefined) return;
  for (const publication of person.trackPublications.values()) {
    if (!(publication instanceof RemoteTrackPublication)) continue;
    const name = TRACK_NAMES.find((each) => TRACK_SOURCES[each] === publication.source);
    const each = isFields(wanted) ? wanted[name ?? ''] : wanted;
    if (each !== undefined) publication.setSubscribed(each === true);
  }
}
