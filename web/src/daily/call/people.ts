/** Describes the participants of a LiveKit room in Daily's terms, as plain values. */
import {
  ConnectionQuality,
  RemoteTrackPublication,
  Track,
  type LocalParticipant,
  type Participant,
  type Room,
} from 'livekit-client';

import { CAN_ADMIN, EJECT_AT, IS_OWNER, USER_ID } from '../../client/attributes';
import type { Fields } from '../../client/json';
import { mayPublish } from '../../client/media/devices/permissions';
import type { NetworkState } from '../../client/media/link/stats';

export type TrackName = 'audio' | 'video' | 'screenAudio' | 'screenVideo';
export const TRACK_NAMES: readonly TrackName[] = ['audio', 'video', 'screenAudio', 'screenVideo'];

/** Why a device is not available, in Daily's terms. */
export type BlockedReason = 'byDeviceMissing' | 'byDeviceInUse' | 'byPermissions';

/** The state of one of a participant's sources. */
export interface SourceState {
  /** The track is published and not muted. */
  on: boolean;
  /** The media has arrived, so that it can be seen or heard here. */
  arrived: boolean;
  /** This page subscribes to it; always true for the local participant. */
  subscribed: boolean;
  /** The participant may publish it. */
  allowed: boolean;
  /** The local participant's device does not work. */
  blocked?: BlockedReason | undefined;
}

/** A participant in Daily's terms. */
export interface Person {
  identity: string;
  /** Empty when the application named none; Daily then uses the participant's id. */
  userId: string;
  name: string;
  userData: unknown;
  isLocal: boolean;
  isOwner: boolean;
  /** Milliseconds since 1970; 0 if not known. */
  joinedAtMs: number;
  /** Milliseconds since 1970; 0 for never. */
  willEjectAtMs: number;
  hasPresence: boolean;
  canAdmin: boolean | ReadonlySet<string>;
  quality: NetworkState;
  sources: Readonly<Record<TrackName, SourceState>>;
}

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

/** What this page knows in addition to the client library. */
export interface LocalFacts {
  /** Failures of the local participant's devices. */
  blocked: Readonly<Partial<Record<TrackName, BlockedReason | undefined>>>;
  /** Permissions that changed during the meeting, in Daily's format, by identity. */
  changed: ReadonlyMap<string, Fields>;
}

/** Describe a participant. */
export function describeParticipant(participant: Participant, facts: LocalFacts): Person {
  const { attributes } = participant;
  return {
    identity: participant.identity,
    userId: attributes[USER_ID] ?? participant.identity,
    name: participant.name ?? '',
    userData: parseJson(attributes[USER_DATA]),
    isLocal: participant.isLocal,
    isOwner: isOwner(participant),
    joinedAtMs: participant.joinedAt?.getTime() ?? 0,
    willEjectAtMs: ejectAtMs(participant) ?? 0,
    hasPresence: participant.permissions?.hidden !== true,
    canAdmin: adminRights(participant, facts),
    quality: QUALITY[participant.connectionQuality],
    sources: {
      audio: sourceState(participant, 'audio', facts),
      video: sourceState(participant, 'video', facts),
      screenAudio: sourceState(participant, 'screenAudio', facts),
      screenVideo: sourceState(participant, 'screenVideo', facts),
    },
  };
}

/** Whether a participant is an owner of the meeting. */
export function isOwner(participant: Participant): boolean {
  return participant.attributes[IS_OWNER] === 'true';
}

/** Whether a participant may mute and remove others, and let people in. */
export function mayAdminister(participant: Participant, facts: LocalFacts): boolean {
  const rights = adminRights(participant, facts);
  return typeof rights === 'boolean' ? rights : rights.has('participants');
}

/** When a participant will be removed, in milliseconds since 1970; undefined for never. */
export function ejectAtMs(participant: Participant): number | undefined {
  const seconds = Number(participant.attributes[EJECT_AT] ?? '');
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

/** All participants, the local one first. */
export function allParticipants(room: Room): readonly Participant[] {
  return [room.localParticipant, ...room.remoteParticipants.values()];
}

/** Find a participant by Daily's id; `local` is the local participant. */
export function findParticipant(room: Room, id: string): Participant | undefined {
  const me: LocalParticipant = room.localParticipant;
  return id === 'local' || id === me.identity ? me : room.remoteParticipants.get(id);
}

function sourceState(participant: Participant, name: TrackName, facts: LocalFacts): SourceState {
  const source = TRACK_SOURCES[name];
  const publication = participant.getTrackPublication(source);
  const remote = publication instanceof RemoteTrackPublication ? publication : undefined;
  return {
    on: publication !== undefined && !publication.isMuted,
    arrived: publication?.track !== undefined,
    subscribed: remote === undefined || remote.isDesired,
    allowed: mayPublish(participant.permissions, source),
    ...(participant.isLocal && { blocked: facts.blocked[name] }),
  };
}

// Daily's rights: participants, streaming, transcription.
const ALL_RIGHTS = 3;

function adminRights(participant: Participant, facts: LocalFacts): boolean | ReadonlySet<string> {
  const changed = facts.changed.get(participant.identity)?.['canAdmin'];
  if (typeof changed === 'boolean') return changed;
  const given = participant.attributes[CAN_ADMIN] ?? '';
  const rights = Array.isArray(changed) ? changed : given.split(',').filter((right) => right !== '');
  if (rights.length === 0) return false;
  return rights.length === ALL_RIGHTS || new Set(rights as string[]);
}

function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
