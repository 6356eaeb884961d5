import {
  ConnectionState,
  RoomEvent,
  Track,
  type Participant,
  type Room,
  type TrackPublication,
} from 'livekit-client';
import { useEffect, useRef } from 'react';

import type { DeviceKind } from '../../client/media/devices/devices';
import { isSwitching } from '../../client/media/sending/switching';
import { t } from '../../client/text/catalogue';
import { handRaisedAt } from '../../stage/hands';
import { shownName } from '../../stage/names';
import type { Chat } from '../wire';
import { Gathered, type Move } from './gather';
import type { Toasts } from './toasts';

/** Notify the user of events in the room. `moves`: also of joins and leaves of the room. */
export function useRoomEvents(room: Room, toasts: Toasts, moves: boolean): void {
  useEffect(() => (moves ? tellMoves(room, toasts) : undefined), [room, toasts, moves]);
  useEffect(() => tellMedia(room, toasts), [room, toasts]);
  useEffect(() => tellConnection(room, toasts), [room, toasts]);
}

/** Notify the user of messages while the chat is closed. */
export function useChatEvents(chat: Chat, toasts: Toasts): void {
  const seen = useRef(0);
  useEffect(() => {
    seen.current = chat.state.snapshot().unread;
    return chat.state.subscribe(() => {
      const { unread, lines } = chat.state.snapshot();
      const line = lines.at(-1);
      if (unread > seen.current && line !== undefined) {
        const text = line.text.length > LONGEST ? `${line.text.slice(0, LONGEST)}…` : line.text;
        toasts.say(t('event.chat', { name: line.name === '' ? t('guest') : line.name, text }));
      }
      seen.current = unread;
    });
  }, [chat, toasts]);
}

// The toast only draws attention; the panel shows the whole text.
const LONGEST = 120;

function tellMoves(room: Room, toasts: Toasts): () => void {
  const gathered = new Gathered((words) => toasts.say(words));
  const note = (kind: Move['kind']) => (participant: Participant) =>
    gathered.note({ kind, identity: participant.identity, name: shownName(participant) });
  const [joined, left] = [note('joined'), note('left')];
  room.on(RoomEvent.ParticipantConnected, joined).on(RoomEvent.ParticipantDisconnected, left);
  return () => {
    gathered.close();
    room.off(RoomEvent.ParticipantConnected, joined).off(RoomEvent.ParticipantDisconnected, left);
  };
}

const KIND_OF_SOURCE: Readonly<Partial<Record<Track.Source, DeviceKind>>> = {
  [Track.Source.Camera]: 'camera',
  [Track.Source.Microphone]: 'microphone',
};

function tellMedia(room: Room, toasts: Toasts): () => void {
  const published = ({ source }: TrackPublication, participant: Participant): void => {
    if (source === Track.Source.ScreenShare) toasts.say(t('event.shares', { name: shownName(participant) }));
  };
  const unpublished = ({ source }: TrackPublication, participant: Participant): void => {
    if (source === Track.Source.ScreenShare)
      toasts.say(t('event.sharesNoMore', { name: shownName(participant) }));
  };
  const muted = ({ source }: TrackPublication, participant: Participant): void => {
    const kind = KIND_OF_SOURCE[source];
    if (!participant.isLocal || kind === undefined || isSwitching(room, kind)) return;
    toasts.say(t(kind === 'camera' ? 'event.cameraOff' : 'event.muted'), true);
  };
  const changed = (change: Readonly<Record<string, string>>, participant: Participant): void => {
    if (participant.isLocal || handRaisedAt(change) === 0) return;
    toasts.say(t('event.hand', { name: shownName(participant) }));
  };
  room
    .on(RoomEvent.TrackPublished, published)
    .on(RoomEvent.TrackUnpublished, unpublished)
    .on(RoomEvent.TrackMuted, muted)
    .on(RoomEvent.ParticipantAttributesChanged, changed);
  return () => {
    room
      .off(RoomEvent.TrackPublished, published)
      .off(RoomEvent.TrackUnpublished, unpublished)
      .off(RoomEvent.TrackMuted, muted)
      .off(RoomEvent.ParticipantAttributesChanged, changed);
  };
}

function tellConnection(room: Room, toasts: Toasts): () => void {
  // The header, a live region, shows the state itself; this message says only that the trouble is over.
  let wasAway = false;
  const changed = (state: ConnectionState): void => {
    if (state === ConnectionState.Connected && wasAway) toasts.say(t('connection.back'));
    wasAway = state === ConnectionState.Reconnecting || state === ConnectionState.SignalReconnecting;
  };
  room.on(RoomEvent.ConnectionStateChanged, changed);
  return () => {
    room.off(RoomEvent.ConnectionStateChanged, changed);
  };
}
