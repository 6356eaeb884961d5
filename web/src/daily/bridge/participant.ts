/** Builds daily-js's participant objects. Tracks are not part of them, because `postMessage` cannot transfer tracks. */
import type { NetworkState } from '../../client/media/link/stats';
import { TRACK_NAMES, type Person, type SourceState, type TrackName } from '../call/people';

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
export function trackState(source: SourceState): Record<string, unknown> {
  const subscribed = source.subscribed;
  if (source.blocked !== undefined)
    return { subscribed, state: 'blocked', blocked: { [source.blocked]: true } };
  if (!source.allowed) return { subscribed, state: 'off', off: { byCanSendPermission: true } };
  if (!source.on) return { subscribed, state: 'off', off: { byUser: true } };
  if (!source.subscribed) return { subscribed, state: 'sendable' };
  return { subscribed, state: source.arrived ? 'playable' : 'loading' };
}

/** daily-js's participant object. */
export function dailyParticipant(person: Person): Record<string, unknown> {
  const { sources } = person;
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
      canSend: canSend(sources),
      canReceive: { base: true },
      canAdmin: typeof person.canAdmin === 'boolean' ? person.canAdmin : new Set(person.canAdmin),
    },
    tracks: Object.fromEntries(TRACK_NAMES.map((name) => [name, trackState(sources[name])])),
    // Older applications read these fields instead of `tracks`.
    audio: sources.audio.on,
    video: sources.video.on,
    screen: sources.screenVideo.on,
  };
}

function canSend(sources: Person['sources']): boolean | Set<TrackName> {
  const allowed = TRACK_NAMES.filter((name) => sources[name].allowed);
  if (allowed.length === TRACK_NAMES.length) return true;
  return allowed.length === 0 ? false : new Set(allowed);
}
