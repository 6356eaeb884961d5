/** What a room's page asks of the server: what is behind the door, entering, knocking, and moderating others. */
import { fieldsOf, isFields, textOf, type Fields } from '../../client/json';

/** What the room and the token together say of how the page is to look and behave. */
export interface MeetingSettings {
  /** As `room()` of daily-js answers it: id, name, config, domainConfig, tokenConfig. */
  room: Fields;
  /** The name that the token gives; empty: one is chosen. */
  userName: string;
  isOwner: boolean;
  /** Somebody inside has to open. */
  mustKnock: boolean;
  prejoin: boolean;
  people: boolean;
  chat: boolean;
  network: boolean;
  screenShare: boolean;
  startVideoOff: boolean;
  startAudioOff: boolean;
  lang: string;
  /** Where the page goes after the meeting; empty: nowhere. */
  redirectOnExit: string;
}

/** Access to a meeting. */
export interface Admission {
  /** WebSocket address; empty: the page's own host. */
  url: string;
  /** LiveKit access token. */
  token: string;
  /** Proves to the door who asks, for as long as the meeting lasts; lets nobody in. */
  pass: string;
  identity: string;
}

export type EnterResult =
  | ({ state: 'entered' } & Admission)
  /** Waiting for somebody inside; `id` is what to ask with. */
  | { state: 'waiting'; id: string }
  | { state: 'denied' };

/** Somebody who waits at the door. */
export interface WaitingPerson {
  id: string;
  name: string;
}

/** What an owner may do to others. */
export interface ParticipantChange {
  setAudio?: boolean;
  setVideo?: boolean;
  setScreenShare?: false;
  eject?: true;
  updatePermissions?: Fields;
}

/** The server said no, with one of Daily's types of error. */
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

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** One room's door. Every call throws `DoorError`, and nothing else. */
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
      screenShare: answer['enable_screenshare'] !== false,
      startVideoOff: answer['start_video_off'] === true,
      startAudioOff: answer['start_audio_off'] === true,
      lang: textOf(answer['lang']),
      redirectOnExit: textOf(answer['redirect_on_meeting_exit']),
    };
  }

  async enter(token: string, userName: string): Promise<EnterResult> {
    return result(await this.ask('enter', { token, user_name: userName }));
  }

  /** Ask whether somebody has opened; the answer comes at once. */
  async knockStatus(id: string): Promise<EnterResult> {
    return result(await this.ask(`knocks/${encodeURIComponent(id)}`, {}));
  }

  /** Wait no more. */
  async withdrawKnock(id: string): Promise<void> {
    await this.ask(`knocks/${encodeURIComponent(id)}/withdraw`, {});
  }

  /** Who waits; for those who may let people in. */
  async waitingPeople(pass: string): Promise<WaitingPerson[]> {
    const { waiting } = await this.ask('waiting', {}, pass);
    if (!Array.isArray(waiting)) return [];
    return waiting.filter(isFields).map((each) => ({ id: textOf(each['id']), name: textOf(each['name']) }));
  }

  /** Open the door for somebody, or keep it shut. */
  async answerKnock(pass: string, id: string, grant: boolean): Promise<void> {
    await this.ask(`waiting/${encodeURIComponent(id)}`, { grant }, pass);
  }

  /** Mute, remove, or change what somebody may do. */
  async changeParticipant(pass: string, identity: string, change: ParticipantChange): Promise<void> {
    await this.ask(`participants/${encodeURIComponent(identity)}`, { ...change }, pass);
  }

  private async ask(path: string, body: Fields, pass?: string): Promise<Fields> {
    let response: Response;
    let answer: unknown;
    try {
      response = await this.fetcher(`/daily/rooms/${encodeURIComponent(this.room)}/${path}`, {
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
      throw new DoorError('connection-error', 'The server does not answer.');
    }
    if (response.ok && isFields(answer)) return answer;
    const error = fieldsOf(answer);
    throw new DoorError(
      textOf(error['type']) || 'connection-error',
      textOf(error['msg']) || 'The server refused.',
    );
  }
}

function result(answer: Fields): EnterResult {
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
