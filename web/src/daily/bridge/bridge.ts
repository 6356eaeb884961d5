/** Reports the events of a call to daily-js in the embedding page, and passes daily-js's requests to their handlers. */
import { RoomEvent, Track, type LocalTrackPublication, type Participant, type Room } from 'livekit-client';

import { fieldsOf, numberOf, type Fields } from '../../client/json';
import type { DeviceKind, DeviceProblem } from '../../client/media/devices/devices';
import type { Store } from '../../client/store';
import type { Appearance } from '../call/appearance';
import type { Call, JoinOptions } from '../call/call';
import type { Meeting } from '../call/meeting';
import { allParticipants, describeParticipant } from '../call/people';
import type { Verdict } from '../../client/media/link/stats';
import type { TranscriptionEvent } from '../call/packets';
import type { CallEnd, Step } from '../call/step';
import type { Embedder } from '../embedder';
import { optionalText, type Action, type Context } from './actions/context';
import { DEVICE_ACTIONS, inUse } from './actions/devices';
import { ABSENT_ACTIONS, PAGE_ACTIONS, UNKNOWN_ACTION } from './actions/page';
import { PEOPLE_ACTIONS } from './actions/people';
import { RECORDING_ACTIONS } from './actions/recording';
import { SENDING_ACTIONS } from './actions/sending';
import { TRANSCRIPTION_ACTIONS } from './actions/transcription';
import { appearanceOf } from './appearance';
import { dailyParticipant, threshold } from './participant';
import { applyTheme } from './style';
import type { Wire } from './wire';

/** Events after which daily-js's description of a participant may have changed. */
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

/** daily-js's names of device problems. */
const CAMERA_ERROR: Readonly<Record<DeviceProblem, string>> = {
  denied: 'permissions',
  insecure: 'undefined-mediadevices',
  missing: 'not-found',
  lost: 'not-found',
  busy: 'cam-in-use',
  other: 'unknown',
};

export class Bridge implements Embedder {
  private readonly context: Context;
  private readonly table: Readonly<Record<string, Action>>;
  private previousStep: Step<Meeting>;
  private previousAppearance: Appearance;
  // What was last reported of each participant, by identity.
  private readonly reported = new Map<string, { key: string; participant: Fields }>();
  private syncing = false;

  constructor(
    private readonly wire: Wire,
    private readonly call: Call,
    private readonly appearance: Store<Appearance>,
    private readonly addressToken: string,
  ) {
    this.context = { wire, call, appearance };
    this.previousStep = call.state.snapshot();
    this.previousAppearance = appearance.snapshot();
    this.table = {
      ...DEVICE_ACTIONS,
      ...SENDING_ACTIONS,
      ...PEOPLE_ACTIONS,
      ...RECORDING_ACTIONS,
      ...TRANSCRIPTION_ACTIONS,
      ...PAGE_ACTIONS,
      ...ABSENT_ACTIONS,
      'iframe-launch-config': (fields) => this.launch(fields),
      'join-meeting': ({ properties }) => this.join(fieldsOf(properties)),
      'leave-meeting': () => this.call.leave(),
    };
  }

  /** Start to exchange messages. */
  start(): void {
    window.addEventListener('message', (event) => {
      const request = this.wire.read(event);
      if (request === undefined) return;
      const action = this.knows(request.action) ? this.table[request.action] : undefined;
      void (action ?? UNKNOWN_ACTION)(request.fields, request.reply, this.context);
    });
    this.call.state.subscribe(() => this.follow(this.call.state.snapshot()));
    this.appearance.subscribe(() => this.followAppearance(this.appearance.snapshot()));
    this.wire.post('iframe-ready-for-launch-config');
  }

  /** Whether there is a handler for an action. */
  knows(action: string): boolean {
    return Object.hasOwn(this.table, action);
  }

  pressed(id: string): void {
    this.wire.post('custom-button-click', { button_id: id });
  }

  requestFullscreen(on: boolean): void {
    this.wire.post(on ? 'request-fullscreen' : 'request-exit-fullscreen');
  }

  private launch(properties: Fields): void {
    this.appearance.update(appearanceOf(properties));
    applyTheme(properties['theme']);
    this.wire.post('loaded');
    this.wire.post('call-machine-initialized');
  }

  private join(properties: Fields): void {
    this.appearance.update(appearanceOf(properties));
    applyTheme(properties['theme']);
    void this.call.join(joinOptions(properties, this.addressToken));
  }

  private follow(step: Step<Meeting>): void {
    const { previousStep: before } = this;
    this.previousStep = step;
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
    this.reported.clear();
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
    this.reportCount(room);
    if (room.isRecording) this.reportRecording(true);
    this.wire.post('meeting-session-summary-updated', { meetingSession: { id: await room.getSid() } });
  }

  private leave({ problem, title }: CallEnd, wasInside: boolean): void {
    if (problem !== undefined) {
      const { type, msg } = problem;
      const details = type === 'connection-error' ? { on: wasInside ? 'reconnect' : 'join' } : undefined;
      this.wire.post('error', {
        errorMsg: msg === '' ? title : msg,
        error: { type, msg, ...(details !== undefined && { details: JSON.stringify(details) }) },
        // Otherwise daily-js removes the page from the frame, and the user does not see what happened.
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
      transcription: (event, facts) => this.reportTranscription(event, facts),
      sharedData: (data) =>
        this.wire.post('meeting-session-state-updated', { meetingSessionState: { data, topology: 'sfu' } }),
      verdict: (verdict) => this.reportNetwork(verdict),
      permissions: () => this.sync(meeting),
      device: (kind, problem) => {
        if (problem !== undefined) this.reportDevice(kind, problem);
        this.sync(meeting);
      },
    };
    for (const event of CHANGES) room.on(event, () => this.sync(meeting));
    room
      .on(RoomEvent.RecordingStatusChanged, (recorded) => this.reportRecording(recorded))
      .on(RoomEvent.ActiveSpeakersChanged, (speakers) => this.reportSpeaker(speakers))
      .on(RoomEvent.LocalTrackPublished, (publication) => this.reportOwnTrack(publication, true))
      .on(RoomEvent.LocalTrackUnpublished, (publication) => this.reportOwnTrack(publication, false))
      .on(RoomEvent.Reconnecting, () => this.reportConnection('interrupted'))
      .on(RoomEvent.SignalReconnecting, () => this.reportConnection('interrupted'))
      .on(RoomEvent.Reconnected, () => this.reportConnection('connected'))
      .on(RoomEvent.ActiveDeviceChanged, () => void this.reportDevices())
      .on(RoomEvent.MediaDevicesChanged, () => {
        void navigator.mediaDevices.enumerateDevices().then((devices) => {
          const availableDevices = devices.map((device) => device.toJSON() as Fields);
          this.wire.post('available-devices-updated', { availableDevices });
        });
      });
  }

  private participants(meeting: Meeting): Fields {
    const found: Fields = {};
    for (const person of allParticipants(meeting.room)) {
      const participant = this.describe(meeting, person);
      found[person.isLocal ? 'local' : person.identity] = participant;
      this.reported.set(person.identity, { key: keyOf(participant), participant });
    }
    return found;
  }

  /** Report the participants that have changed since the last time. Changes in one task are reported together. */
  private sync(meeting: Meeting): void {
    if (this.syncing) return;
    this.syncing = true;
    queueMicrotask(() => {
      this.syncing = false;
      if (this.call.meeting !== meeting) return;
      const here = allParticipants(meeting.room);
      for (const person of here) this.report(this.describe(meeting, person), person.identity);
      const present = new Set(here.map((person) => person.identity));
      for (const [id, { participant }] of [...this.reported]) {
        if (present.has(id)) continue;
        this.reported.delete(id);
        this.wire.post('participant-left', { participant });
      }
      this.reportCount(meeting.room);
    });
  }

  private report(participant: Fields, id: string): void {
    const key = keyOf(participant);
    const before = this.reported.get(id);
    if (before?.key === key) return;
    this.reported.set(id, { key, participant });
    this.wire.post(before === undefined ? 'participant-joined' : 'participant-updated', { participant });
  }

  private describe(meeting: Meeting, person: Participant): Fields {
    return dailyParticipant(describeParticipant(person, meeting.localFacts));
  }

  private reportCount(room: Room): void {
    this.wire.post('participant-counts-updated', {
      participantCounts: { present: allParticipants(room).length, hidden: 0 },
    });
  }

  private reportRecording(recorded: boolean): void {
    this.wire.post(recorded ? 'recording-started' : 'recording-stopped', { local: false, type: 'cloud' });
  }

  private reportTranscription(event: TranscriptionEvent, facts: Fields): void {
    const at = numberOf(facts['timestamp']);
    this.wire.post(`transcription-${event}`, {
      ...facts,
      ...(at !== undefined && { timestamp: new Date(at) }),
    });
  }

  private reportSpeaker(speakers: readonly Participant[]): void {
    const speaker = speakers[0];
    // In silence, the last speaker stays the active speaker.
    if (speaker !== undefined) {
      this.wire.post('active-speaker-change', { activeSpeaker: { peerId: speaker.identity } });
    }
  }

  private reportOwnTrack(publication: LocalTrackPublication, begins: boolean): void {
    if (publication.source === Track.Source.ScreenShare) {
      this.wire.post(begins ? 'local-screen-share-started' : 'local-screen-share-stopped');
    } else if (publication.source === Track.Source.Camera && begins) this.wire.post('started-camera');
  }

  private reportConnection(event: 'interrupted' | 'connected'): void {
    this.wire.post('network-connection', { type: 'signaling', event });
  }

  private reportNetwork({ state, reasons }: Verdict): void {
    const quality = { good: 100, warning: 60, bad: 20, unknown: 100 }[state];
    this.wire.post('network-quality-change', {
      state: { state, reasons },
      threshold: threshold(state),
      quality,
    });
  }

  private reportDevice(kind: DeviceKind, problem: DeviceProblem): void {
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

  private async reportDevices(): Promise<void> {
    this.wire.post('selected-devices-updated', { devices: await inUse(this.context) });
  }

  private followAppearance(now: Appearance): void {
    const { previousAppearance: before } = this;
    this.previousAppearance = now;
    if (now.sidebar !== before.sidebar) this.wire.post('sidebar-view-changed', { view: now.sidebar });
    if (now.activeSpeakerMode !== before.activeSpeakerMode) {
      this.wire.post('active-speaker-mode-change', { enabled: now.activeSpeakerMode });
    }
    if (now.showLocalVideo !== before.showLocalVideo) {
      this.wire.post('show-local-video-changed', { show: now.showLocalVideo });
    }
    if (now.lang !== before.lang) this.wire.post('lang-updated', { lang: 'en', langSetting: now.lang });
  }
}

/** Read how the embedding page wants to join. */
export function joinOptions(properties: Fields, addressToken: string): JoinOptions {
  const flag = (name: string): boolean | undefined =>
    typeof properties[name] === 'boolean' ? properties[name] : undefined;
  return {
    token: optionalText(properties['token']) ?? addressToken,
    userName: optionalText(properties['userName']) ?? '',
    startVideoOff: flag('startVideoOff'),
    startAudioOff: flag('startAudioOff'),
  };
}

function keyOf(participant: Fields): string {
  return JSON.stringify(participant, (_name, value: unknown) => (value instanceof Set ? [...value] : value));
}
