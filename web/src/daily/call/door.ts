/** The requests of a room's page to the server: settings, entering, knocking, and moderation. */
import { serverPath } from '../../client/server/base';
import { fieldsOf, isFields, textOf, type Fields } from '../../client/json';
import type { Fetch } from '../../client/server/server';

/** How the page looks and behaves, by the room and the token together. */
export interface MeetingSettings {
  /** As daily-js's `room()` returns it: id, name, config, domainConfig, tokenConfig. */
  room: Fields;
  /** The name in the token; empty if the user chooses one. */
  userName: string;
  isOwner: boolean;
  /** Somebody in the meeting has to let the user in. */
  mustKnock: boolean;
  prejoin: boolean;
  people: boolean;
  chat: boolean;
  network: boolean;
  /** Participants may raise their hands. */
  hands: boolean;
  screenShare: boolean;
  startVideoOff: boolean;
  startAudioOff: boolean;
  lang: string;
  /** Where the page goes after the meeting; empty to stay. */
  redirectOnExit: string;
}

/** Access to a meeting. */
export interface Admission {
  /** WebSocket address; empty for the page's own host. */
  url: string;
  /** LiveKit access token. */
  token: string;
  /** Authenticates later requests of this participant while the meeting lasts; does not allow joining. */
  pass: string;
  identity: string;
}

export type EnterResult =
  | ({ state: 'entered' } & Admission)
  /** Waiting for somebody in the meeting; `id` identifies the knock in later requests. */
  | { state: 'waiting'; id: string }
  | { state: 'denied' };

/** Somebody who waits to be let in. */
export interface WaitingPerson {
  id: string;
  name: string;
}

/** What owners may change about other participants. */
export interface ParticipantChange {
  setAudio?: boolean;
  setVideo?: boolean;
  setScreenShare?: false;
  eject?: true;
  updatePermissions?: Fields;
}

/** The server refused or did not respond; `type` is one of Daily's error types. */
export class DoorError extends Error {
  override readonly name = 'DoorError';

  constructor(
    readonly type: string,
    message: string,
  ) {
    super(message);
  }
}

const TIMEOUT_MS = 10_000;

/** The door of one room. All methods throw `DoorError` and nothing else. */
export class Door {
  constructor(
    private readonly room: string,
    private readonly fetcher: Fetch = (url, init) => fetch(url, init),
  ) {}

  async settings(token: string): Promise<MeetingSettings> {
    const answer = await this.ask('look', { token });
    return {
      room: fieldsOf(answer['room']),
      userName: textOf(answer['user_name']),
      isOwner: answer['is_owner'] === true,
      mustKnock: answer['must_knock'] === true,
      prejoin: answer['enable_prejoin_ui'] === true,
      people: answer['enable_people_ui'] === true,
      chat: answer['enable_chat'] === true,
      network: answer['enable_network_ui'] === true,
      hands: fieldsOf(fieldsOf(answer['room'])['config'])['enable_hand_raising'] === true,
      screenShare: answer['enable_screenshare'] !== false,
      startVideoOff: answer['start_video_off'] === true,
      startAudioOff: answer['start_audio_off'] === true,
      lang: textOf(answer['lang']),
      redirectOnExit: textOf(answer['redirect_on_meeting_exit']),
    };
  }

  async enter(token: string, userName: string): Promise<EnterResult> {
    return enterResult(await this.ask('enter', { token, user_name: userName }));
  }

  /** Ask what became of a knock; the server responds at once. */
  async knockStatus(id: string): Promise<EnterResult> {
    return enterResult(await this.ask(`knocks/${encodeURIComponent(id)}`, {}));
  }

  /** Stop waiting. */
  async withdrawKnock(id: string): Promise<void> {
    await this.ask(`knocks/${encodeURIComponent(id)}/withdraw`, {});
  }

  /** Fetch the people who wait; for participants who may let them in. */
  async waitingPeople(pass: string): Promise<WaitingPerson[]> {
    const { waiting } = await this.ask('waiting', {}, pass);
    if (!Array.isArray(waiting)) return [];
    return waiting.filter(isFields).map((each) => ({ id: textOf(each['id']), name: textOf(each['name']) }));
  }

  /** Let somebody in, or deny it. */
  async answerKnock(pass: string, id: string, grant: boolean): Promise<void> {
    await this.ask(`waiting/${encodeURIComponent(id)}`, { grant }, pass);
  }

  /** Mute or remove a participant, or change their permissions. */
  async changeParticipant(pass: string, identity: string, change: ParticipantChange): Promise<void> {
    await this.ask(`participants/${encodeURIComponent(identity)}`, { ...change }, pass);
  }

  /** Start, change or stop the transcription of the meeting; for owners and those with the right. */
  async transcribe(pass: string, change: Fields): Promise<void> {
    await this.ask('transcription', change, pass);
  }

  /** Start or stop the recording of the meeting; for owners. */
  async record(pass: string, on: boolean, type?: string, instanceId?: string): Promise<void> {
    const options = {
      ...(type !== undefined && { type }),
      ...(instanceId !== undefined && { instance_id: instanceId }),
    };
    await this.ask('recording', { on, ...options }, pass);
  }

  private async ask(path: string, body: Fields, pass?: string): Promise<Fields> {
    let response: Response;
    let answer: unknown;
    try {
      response = await this.fetcher(serverPath(`/daily/rooms/${encodeURIComponent(this.room)}/${path}`), {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          ...(pass !== undefined && { Authorization: `Bearer ${pass}` }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      answer = await response.json();
    } catch {
      throw new DoorError('connection-error', 'The server is not responding.');
    }
    if (response.ok && isFields(answer)) return answer;
    const error = fieldsOf(answer);
    throw new DoorError(
      textOf(error['type']) || 'connection-error',
      textOf(error['msg']) || 'The server refused the request.',
    );
  }
}

function enterResult(answer: Fields): EnterResult {
  switch (answer['state']) {
    case 'waiting':
      return { state: 'waiting', id: textOf(answer['id']) };
    case 'denied':
      return { state: 'denied' };
    default:
      return {
        state: 'entered',
        url: textOf(answer['url']),
        token: textOf(answer['token']),
        pass: textOf(answer['pass']),
        identity: textOf(answer['session_id']),
      };
  }
}
