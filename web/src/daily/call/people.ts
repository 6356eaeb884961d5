/** Daily's view of the people in a LiveKit room. */
import { ConnectionQuality, RemoteTrackPublication, Track, type LocalParticipant, type Participant, type Room } from 'livekit-client';

import { CAN_ADMIN, EJECT_AT, IS_OWNER, USER_ID } from '../../client/attributes';
import type { Fields } from '../../client/json';
import { mayPublish } from '../../client/media/permissions';

export type TrackName = 'audio' | 'video' | 'screenAudio' | 'screenVideo';
export const TRACK_NAMES: readonly TrackName[] = ['audio', 'video', 'screenAudio', 'screenVideo'];

/** Why a device is not there, in Daily's words. */
export type BlockedReason = 'byDeviceMissing' | 'byDeviceInUse' | 'byPermissions';

/** What is known of one source of a participant. */
export interface SourceState {
  /** There is a track, and it is not muted. */
  on: boolean;
  /** Here it can be seen or heard: the media has arrived. */
  arrived: boolean;
  /** This page wants it; of oneself always true. */
  subscribed: boolean;
  /** The publisher may send it. */
  allowed: boolean;
  /** One's own device does not work. */
  blocked?: BlockedReason | undefined;
}

/** What is known of a participant. */
export interface Person {
  identity: string;
  /** Empty: the session's id stands in. */
  userId: string;
  name: string;
  userData: unknown;
  isLocal: boolean;
  isOwner: boolean;
  /** Milliseconds since 1970; 0: not known. */
  joinedAtMs: number;
  /** Milliseconds since 1970; 0: never. */
  willEjectAtMs: number;
  hasPresence: boolean;
  canAdmin: boolean | ReadonlySet<string>;
  quality: NetworkState;
  sent: Readonly<Record<TrackName, SourceState>>;
}

export type NetworkState = 'good' | 'warning' | 'bad' | 'unknown';

/** Attribute that the participants set themselves: data of the application, as JSON. */
export const USER_DATA = 'daily.user_data';

export const TRACK_SOURCES: Readonly<Record<TrackName, Track.Source>> = {
  audio: Track.Source.Microphone,
  video: Track.Source.Camera,
  screenAudio: Track.Source.ScreenShareAudio,
  screenVideo: Track.Source.ScreenShare,
};

const QUALITY: Readonly<Record<ConnectionQuality, NetworkState>> = {
  [ConnectionQuality.Excellent]: 'good',
  [ConnectionQuality.Good]: 'good',
  [ConnectionQuality.Poor]: 'warning',
  [ConnectionQuality.Lost]: 'bad',
  [ConnectionQuality.Unknown]: 'unknown',
};

/** What this page knows beside what the client does. */
export interface LocalFacts {
  /** Of one's own devices. */
  blocked: Readonly<Partial<Record<TrackName, BlockedReason | undefined>>>;
  /** Permissions that changed during the meeting, in Daily's form, by session. */
  changed: ReadonlyMap<string, Fields>;
}

/** Describe a participant. */
export function describe(participant: Participant, known: LocalFacts): Person {
  const { attributes } = participant;
  return {
    identity: participant.identity,
    userId: attributes[USER_ID] ?? participant.identity,
    name: participant.name ?? '',
    userData: parsed(attributes[USER_DATA]),
    isLocal: participant.isLocal,
    isOwner: isOwner(participant),
    joinedAtMs: participant.joinedAt?.getTime() ?? 0,
    willEjectAtMs: ejectAtMs(participant) ?? 0,
    hasPresence: participant.permissions?.hidden !== true,
    canAdmin: adminRights(participant, known),
    quality: QUALITY[participant.connectionQuality],
    sent: {
      audio: sent(participant, 'audio', known),
      video: sent(participant, 'video', known),
      screenAudio: sent(participant, 'screenAudio', known),
      screenVideo: sent(participant, 'screenVideo', known),
    },
  };
}

/** Whether a participant runs the meeting. */
export function isOwner(participant: Participant): boolean {
  return participant.attributes[IS_OWNER] === 'true';
}

/** Whether a participant may mute and remove others, and let people in. */
export function mayAdminister(participant: Participant, known: LocalFacts): boolean {
  const rights = adminRights(participant, known);
  return typeof rights === 'boolean' ? rights : rights.has('participants');
}

/** When a participant's time is over, in milliseconds since 1970; undefined: never. */
export function ejectAtMs(participant: Participant): number | undefined {
  const seconds = Number(participant.attributes[EJECT_AT] ?? '');
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

/** Everybody, as the map that daily-js keeps: oneself under `local`. */
export function allParticipants(room: Room): readonly Participant[] {
  return [room.localParticipant, ...room.remoteParticipants.values()];
}

/** The room's participant by Daily's id; oneself also as `local`. */
export function find(room: Room, id: string): Participant | undefined {
  const me: LocalParticipant = room.localParticipant;
  return id === 'local' || id === me.identity ? me : room.remoteParticipants.get(id);
}

function sent(participant: Participant, name: TrackName, known: LocalFacts): SourceState {
  const source = TRACK_SOURCES[name];
  const publication = participant.getTrackPublication(source);
  const remote = publication instanceof RemoteTrackPublication ? publication : undefined;
  return {
    on: publication !== undefined && !publication.isMuted,
    arrived: publication?.track !== undefined,
    subscribed: remote === undefined || remote.isDesired,
    allowed: mayPublish(participant.permissions, source),
    ...(participant.isLocal && { blocked: known.blocked[name] }),
  };
}

const ALL_RIGHTS = 3;

function adminRights(participant: Participant, known: LocalFacts): boolean | ReadonlySet<string> {
  const changed = known.changed.get(participant.identity)?.['canAdmin'];
  if (typeof changed === 'boolean') return changed;
  const given = participant.attributes[CAN_ADMIN] ?? '';
  const rights = Array.isArray(changed) ? changed : given.split(',').filter((right) => right !== '');
  if (rights.length === 0) return false;
  return rights.length === ALL_RIGHTS || new Set(rights as string[]);
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
