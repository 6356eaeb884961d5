/** Passes what happens in a call on to daily-js in the page around, and what daily-js asks for to its handlers. */
import { RoomEvent, Track, type LocalTrackPublication, type Participant, type Room } from 'livekit-client';

import type { DeviceKind, DeviceProblem } from '../../client/words';
import { UNKNOWN_ACTION, ABSENT_ACTIONS, PAGE_ACTIONS } from './actions/page';
import { DEVICE_ACTIONS, inUse } from './actions/devices';
import { PEOPLE_ACTIONS } from './actions/people';
import { SENDING_ACTIONS } from './actions/sending';
import { textOf, type Action, type Context } from './actions/context';
import type { Call, JoinOptions } from '../call/call';
import { looksOf, type Looks, type LooksState } from '../call/looks';
import type { Meeting } from '../call/meeting';
import { dailyParticipant, threshold } from './participant';
import { describe, everybody } from '../call/people';
import type { Verdict } from '../call/stats';
import type { Over, Step } from '../call/step';
import { applyTheme } from './style';
import { isFields, type Fields, type Wire } from './wire';

/** Everything after which a participant may look different. */
const CHANGES = [
  RoomEvent.ParticipantConnected,
  RoomEvent.ParticipantDisconnected,
  RoomEvent.ParticipantNameChanged,
  RoomEvent.ParticipantAttributesChanged,
  RoomEvent.ParticipantPermissionsChanged,
  RoomEvent.ConnectionQualityChanged,
  RoomEvent.TrackPublished,
  RoomEvent.TrackUnpublished,
  RoomEvent.TrackSubscribed,
  RoomEvent.TrackUnsubscribed,
  RoomEvent.TrackSubscriptionStatusChanged,
  RoomEvent.TrackMuted,
  RoomEvent.TrackUnmuted,
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
] as const;

/** daily-js's name of what is wrong with a device. */
const CAMERA_ERROR: Readonly<Record<DeviceProblem, string>> = {
  denied: 'permissions',
  insecure: 'undefined-mediadevices',
  missing: 'not-found',
  lost: 'not-found',
  busy: 'cam-in-use',
  other: 'unknown',
};

export class Bridge {
  private readonly context: Context;
  private readonly table: Readonly<Record<string, Action>>;
  private before: Step<Meeting>;
  private looked: LooksState;
  // What daily-js was told last of each participant.
  private readonly told = new Map<string, { key: string; participant: Fields }>();
  private syncing = false;

  constructor(
    private readonly wire: Wire,
    private readonly call: Call,
    private readonly looks: Looks,
    private readonly addressToken: string,
  ) {
    this.context = { wire, call, looks };
    this.before = call.snapshot();
    this.looked = looks.snapshot();
    this.table = {
      ...DEVICE_ACTIONS,
      ...SENDING_ACTIONS,
      ...PEOPLE_ACTIONS,
      ...PAGE_ACTIONS,
      ...ABSENT_ACTIONS,
      'iframe-launch-config': (fields) => this.launch(fields),
      'join-meeting': ({ properties }) => this.join(isFields(properties) ? properties : {}),
      'leave-meeting': () => this.call.leave(),
    };
  }

  /** Begin to talk. */
  start(): void {
    window.addEventListener('message', (event) => {
      const request = this.wire.read(event);
      if (request === undefined) return;
      const action = this.knows(request.action) ? this.table[request.action] : undefined;
      void (action ?? UNKNOWN_ACTION)(request.fields, request.reply, this.context);
    });
    this.call.subscribe(() => this.follow(this.call.snapshot()));
    this.looks.subscribe(() => this.followLooks(this.looks.snapshot()));
    this.wire.post('iframe-ready-for-launch-config');
  }

  /** Whether there is a handler for what daily-js may ask for. */
  knows(action: string): boolean {
    return Object.hasOwn(this.table, action);
  }

  /** A button that the application added was pressed. */
  pressed(id: string): void {
    this.wire.post('custom-button-click', { button_id: id });
  }

  /** The user wants the frame to fill the screen, or no more. */
  requestFullscreen(on: boolean): void {
    this.wire.post(on ? 'request-fullscreen' : 'request-exit-fullscreen');
  }

  private launch(properties: Fields): void {
    this.looks.set(looksOf(properties));
    applyTheme(properties['theme']);
    this.wire.post('loaded');
    this.wire.post('call-machine-initialized');
  }

  private join(properties: Fields): void {
    this.looks.set(looksOf(properties));
    applyTheme(properties['theme']);
    void this.call.join(joinOptions(properties, this.addressToken));
  }

  private follow(step: Step<Meeting>): void {
    const { before } = this;
    this.before = step;
    if (step.name === 'meeting' && before.name !== 'meeting') void this.enter(step.meeting);
    else if (step.name === 'knocking' && before.name !== 'knocking') {
      this.wire.post('access-state-updated', {
        access: { level: 'lobby' },
        awaitingAccess: { level: 'full' },
      });
    } else if (step.name === 'over' && before.name !== 'over')
      this.leave(step.over, before.name === 'meeting');
  }

  private async enter(meeting: Meeting): Promise<void> {
    const { room } = meeting;
    this.told.clear();
    this.attach(meeting);
    this.wire.post('access-state-updated', { access: { level: 'full' } });
    this.wire.post('joined-meeting', { participants: this.participants(meeting) });
    this.wire.post('network-connection', { type: 'signaling', event: 'connected' });
    this.wire.post('network-connection', {
      type: 'sfu',
      event: 'connected',
      session_id: room.localParticipant.identity,
    });
    this.wire.post('meeting-session-state-updated', {
      meetingSessionState: { data: undefined, topology: 'sfu' },
    });
    this.count(room);
    this.wire.post('meeting-session-summary-updated', { meetingSession: { id: await room.getSid() } });
  }

  private leave({ problem, title }: Over, wasInside: boolean): void {
    if (problem !== undefined) {
      const { type, msg } = problem;
      const details = type === 'connection-error' ? { on: wasInside ? 'reconnect' : 'join' } : undefined;
      this.wire.post('error', {
        errorMsg: msg === '' ? title : msg,
        error: { type, msg, ...(details !== undefined && { details: JSON.stringify(details) }) },
        // Without it the package empties the frame, and the user does not see why.
        preserveIframe: true,
      });
      if (!wasInside) return;
    }
    this.wire.post('left-meeting');
  }

  private attach(meeting: Meeting): void {
    const { room } = meeting;
    meeting.events = {
      appMessage: (data, fromId) => this.wire.post('app-message', { data, fromId }),
      sessionData: (data) =>
        this.wire.post('meeting-session-state-updated', { meetingSessionState: { data, topology: 'sfu' } }),
      verdict: (verdict) => this.tellNetwork(verdict),
      permissions: () => this.sync(meeting),
      device: (kind, problem) => {
        if (problem !== undefined) this.tellDevice(kind, problem);
        this.sync(meeting);
      },
    };
    for (const event of CHANGES) room.on(event, () => this.sync(meeting));
    room
      .on(RoomEvent.ActiveSpeakersChanged, (speakers) => this.tellSpeaker(speakers))
      .on(RoomEvent.LocalTrackPublished, (publication) => this.tellOwnTrack(publication, true))
      .on(RoomEvent.LocalTrackUnpublished, (publication) => this.tellOwnTrack(publication, false))
      .on(RoomEvent.Reconnecting, () => this.tellConnection('interrupted'))
      .on(RoomEvent.SignalReconnecting, () => this.tellConnection('interrupted'))
      .on(RoomEvent.Reconnected, () => this.tellConnection('connected'))
      .on(RoomEvent.ActiveDeviceChanged, () => void this.tellDevices())
      .on(RoomEvent.MediaDevicesChanged, () => {
        void navigator.mediaDevices.enumerateDevices().then((devices) => {
          const availableDevices = devices.map((device) => device.toJSON() as Fields);
          this.wire.post('available-devices-updated', { availableDevices });
        });
      });
  }

  private participants(meeting: Meeting): Fields {
    const found: Fields = {};
    for (const person of everybody(meeting.room)) {
      const participant = this.describe(meeting, person);
      found[person.isLocal ? 'local' : person.identity] = participant;
      this.told.set(person.identity, { key: keyOf(participant), participant });
    }
    return found;
  }

  /** Tell what has changed of people since the last time; many changes at once are told as one. */
  private sync(meeting: Meeting): void {
    if (this.syncing) return;
    this.syncing = true;
    queueMicrotask(() => {
      this.syncing = false;
      if (this.call.meeting !== meeting) return;
      const here = everybody(meeting.room);
      for (const person of here) this.tell(this.describe(meeting, person), person.identity);
      const present = new Set(here.map((person) => person.identity));
      for (const [id, { participant }] of [...this.told]) {
        if (present.has(id)) continue;
        this.told.delete(id);
        this.wire.post('participant-left', { participant });
      }
      this.count(meeting.room);
    });
  }

  private tell(participant: Fields, id: string): void {
    const key = keyOf(participant);
    const before = this.told.get(id);
    if (before?.key === key) return;
    this.told.set(id, { key, participant });
    this.wire.post(before === undefined ? 'participant-joined' : 'participant-updated', { participant });
  }

  private describe(meeting: Meeting, person: Participant): Fields {
    return dailyParticipant(describe(person, meeting.known));
  }

  private count(room: Room): void {
    this.wire.post('participant-counts-updated', {
      participantCounts: { present: everybody(room).length, hidden: 0 },
    });
  }

  private tellSpeaker(speakers: readonly Participant[]): void {
    const speaker = speakers[0];
    // Who spoke last stays the active speaker in silence.
    if (speaker !== undefined) {
      this.wire.post('active-speaker-change', { activeSpeaker: { peerId: speaker.identity } });
    }
  }

  private tellOwnTrack(publication: LocalTrackPublication, begins: boolean): void {
    if (publication.source === Track.Source.ScreenShare) {
      this.wire.post(begins ? 'local-screen-share-started' : 'local-screen-share-stopped');
    } else if (publication.source === Track.Source.Camera && begins) this.wire.post('started-camera');
  }

  private tellConnection(event: 'interrupted' | 'connected'): void {
    this.wire.post('network-connection', { type: 'signaling', event });
  }

  private tellNetwork({ state, reasons }: Verdict): void {
    const quality = { good: 100, warning: 60, bad: 20, unknown: 100 }[state];
    this.wire.post('network-quality-change', {
      state: { state, reasons },
      threshold: threshold(state),
      quality,
    });
  }

  private tellDevice(kind: DeviceKind, problem: DeviceProblem): void {
    const type = problem === 'busy' && kind === 'microphone' ? 'mic-in-use' : CAMERA_ERROR[problem];
    const media = kind === 'camera' ? 'video' : 'audio';
    const errorMsg = `${media}: ${problem}`;
    this.wire.post('camera-error', {
      errorMsg: { errorMsg, audioOk: kind !== 'microphone', videoOk: kind !== 'camera' },
      error: {
        type,
        msg: errorMsg,
        ...(type === 'permissions' && { blockedBy: 'user', blockedMedia: [media] }),
        ...(type === 'not-found' && { missingMedia: [media] }),
      },
    });
  }

  private async tellDevices(): Promise<void> {
    this.wire.post('selected-devices-updated', { devices: await inUse(this.context) });
  }

  private followLooks(now: LooksState): void {
    const { looked } = this;
    this.looked = now;
    if (now.sidebar !== looked.sidebar) this.wire.post('sidebar-view-changed', { view: now.sidebar });
    if (now.activeSpeakerMode !== looked.activeSpeakerMode) {
      this.wire.post('active-speaker-mode-change', { enabled: now.activeSpeakerMode });
    }
    if (now.showLocalVideo !== looked.showLocalVideo) {
      this.wire.post('show-local-video-changed', { show: now.showLocalVideo });
    }
    if (now.lang !== looked.lang) this.wire.post('lang-updated', { lang: 'en', langSetting: now.lang });
  }
}

/** How the embedding page wants to join. */
export function joinOptions(properties: Fields, addressToken: string): JoinOptions {
  const flag = (name: string): boolean | undefined =>
    typeof properties[name] === 'boolean' ? properties[name] : undefined;
  return {
    token: textOf(properties['token']) ?? addressToken,
    userName: textOf(properties['userName']) ?? '',
    startVideoOff: flag('startVideoOff'),
    startAudioOff: flag('startAudioOff'),
  };
}

function keyOf(participant: Fields): string {
  return JSON.stringify(participant, (_name, value: unknown) => (value instanceof Set ? [...value] : value));
}
