/** Builds daily-js's participant objects. Tracks are not part of them, because `postMessage` cannot transfer tracks. */
import {
  TRACK_NAMES,
  type NetworkState,
  type Person,
  type SourceState,
  type TrackName,
} from '../call/people';

const THRESHOLD: Readonly<Record<NetworkState, string>> = {
  good: 'good',
  warning: 'low',
  bad: 'very-low',
  unknown: 'good',
};

/** The older name of a network state, which applications still read. */
export function threshold(state: NetworkState): string {
  return THRESHOLD[state];
}

/** daily-js's state of a track. */
export function trackState(sent: SourceState): Record<string, unknown> {
  const subscribed = sent.subscribed;
  if (sent.blocked !== undefined) return { subscribed, state: 'blocked', blocked: { [sent.blocked]: true } };
  if (!sent.allowed) return { subscribed, state: 'off', off: { byCanSendPermission: true } };
  if (!sent.on) return { subscribed, state: 'off', off: { byUser: true } };
  if (!sent.subscribed) return { subscribed, state: 'sendable' };
  return { subscribed, state: sent.arrived ? 'playable' : 'loading' };
}

/** daily-js's participant object. */
export function dailyParticipant(person: Person): Record<string, unknown> {
  const { sent } = person;
  return {
    session_id: person.identity,
    user_id: person.userId === '' ? person.identity : person.userId,
    user_name: person.name,
    ...(person.userData !== undefined && { userData: person.userData }),
    local: person.isLocal,
    owner: person.isOwner,
    record: false,
    joined_at: new Date(person.joinedAtMs),
    will_eject_at: new Date(person.willEjectAtMs),
    networkQualityState: person.quality,
    networkThreshold: threshold(person.quality),
    participantType: 'standard',
    permissions: {
      hasPresence: person.hasPresence,
      canSend: canSend(sent),
      canReceive: { base: true },
      canAdmin: typeof person.canAdmin === 'boolean' ? person.canAdmin : new Set(person.canAdmin),
    },
    tracks: Object.fromEntries(TRACK_NAMES.map((name) => [name, trackState(sent[name])])),
    // Older applications read these fields instead of `tracks`.
    audio: sent.audio.on,
    video: sent.video.on,
    screen: sent.screenVideo.on,
  };
}

function canSend(sent: Person['sent']): boolean | Set<TrackName> {
  const allowed = TRACK_NAMES.filter((name) => sent[name].allowed);
  if (allowed.length === TRACK_NAMES.length) return true;
  return allowed.length === 0 ? false : new Set(allowed);
}
