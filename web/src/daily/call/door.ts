/** What a room's page asks of the server: what is behind the door, entering, knocking, and moderating others. */
import { isFields, type Fields } from '../bridge/wire';

/** What the room and the token together say of how the page is to look and behave. */
export interface Look {
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
export interface Visit {
  /** WebSocket address; empty: the page's own host. */
  url: string;
  /** LiveKit access token. */
  token: string;
  /** Proves to the door who asks, for as long as the meeting lasts; lets nobody in. */
  pass: string;
  sessionId: string;
}

export type Entrance =
  | ({ state: 'entered' } & Visit)
  /** Waiting for somebody inside; `id` is what to ask with. */
  | { state: 'waiting'; id: string }
  | { state: 'denied' };

/** Somebody who waits at the door. */
export interface Waiting {
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

  async look(token: string): Promise<Look> {
    const answer = await this.ask('look', { token });
    return {
      room: fields(answer['room']),
      userName: text(answer['user_name']),
      isOwner: answer['is_owner'] === true,
      mustKnock: answer['must_knock'] === true,
      prejoin: answer['enable_prejoin_ui'] === true,
      people: answer['enable_people_ui'] === true,
      chat: answer['enable_chat'] === true,
      network: answer['enable_network_ui'] === true,
      screenShare: answer['enable_screenshare'] !== false,
      startVideoOff: answer['start_video_off'] === true,
      startAudioOff: answer['start_audio_off'] === true,
      lang: text(answer['lang']),
      redirectOnExit: text(answer['redirect_on_meeting_exit']),
    };
  }

  async enter(token: string, userName: string): Promise<Entrance> {
    return entrance(await this.ask('enter', { token, user_name: userName }));
  }

  /** Ask whether somebody has opened; the answer comes at once. */
  async waited(id: string): Promise<Entrance> {
    return entrance(await this.ask(`knocks/${encodeURIComponent(id)}`, {}));
  }

  /** Wait no more. */
  async giveUp(id: string): Promise<void> {
    await this.ask(`knocks/${encodeURIComponent(id)}/withdraw`, {});
  }

  /** Who waits; for those who may let people in. */
  async waiting(pass: string): Promise<Waiting[]> {
    const { waiting } = await this.ask('waiting', {}, pass);
    if (!Array.isArray(waiting)) return [];
    return waiting.filter(isFields).map((each) => ({ id: text(each['id']), name: text(each['name']) }));
  }

  /** Open the door for somebody, or keep it shut. */
  async answer(pass: string, id: string, grant: boolean): Promise<void> {
    await this.ask(`waiting/${encodeURIComponent(id)}`, { grant }, pass);
  }

  /** Mute, remove, or change what somebody may do. */
  async change(pass: string, sessionId: string, change: ParticipantChange): Promise<void> {
    await this.ask(`participants/${encodeURIComponent(sessionId)}`, { ...change }, pass);
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
    const error = fields(answer);
    throw new DoorError(
      text(error['type']) || 'connection-error',
      text(error['msg']) || 'The server refused.',
    );
  }
}

function entrance(answer: Fields): Entrance {
  switch (answer['state']) {
    case 'waiting':
      return { state: 'waiting', id: text(answer['id']) };
    case 'denied':
      return { state: 'denied' };
    default:
      return {
        state: 'entered',
        url: text(answer['url']),
        token: text(answer['token']),
        pass: text(answer['pass']),
        sessionId: text(answer['session_id']),
      };
  }
}

function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
