/** The session itself, its clock, and decisions for everybody: lock, spotlight, pins, scene. */
import { fieldsOf, isFields, listOf, numberOf, textOf, textsOf, wordOf, type Fields } from '../../json';
import { PHASES, type Phase } from '../sessions';
import type { SessionEvent } from './event';

export interface Lifecycle {
  id: string;
  title: string;
  code: string;
  phase: Phase;
  startsAt: number | undefined;
  startedAt: number | undefined;
  endedAt: number | undefined;
  /** Duration of the lesson at `taughtAt`; it continues from there while the phase is `live`. */
  taughtS: number;
  taughtAt: number;
  /** The server's clock minus this page's, in seconds. */
  aheadS: number;
  anonymousQuestions: boolean;
  upvotes: boolean;
  /** Students may turn the pages of slides for themselves. */
  leafing: boolean;
  /** Everybody may turn on live captions, if the server has them. */
  captions: boolean;
}

/** `nowMs` is this page's clock when the state was received. */
export function readLifecycle(fields: Fields, nowMs: number): Lifecycle {
  const settings = fieldsOf(fields['settings']);
  const serverNow = numberOf(fields['now']) ?? nowMs / 1000;
  return {
    id: textOf(fields['id']),
    title: textOf(fields['title']),
    code: textOf(fields['code']),
    phase: wordOf(fields['phase'], PHASES),
    startsAt: numberOf(fields['starts_at']),
    startedAt: numberOf(fields['started_at']),
    endedAt: numberOf(fields['ended_at']),
    taughtS: numberOf(fields['taught_s']) ?? 0,
    taughtAt: serverNow,
    aheadS: serverNow - nowMs / 1000,
    anonymousQuestions: settings['anonymous_questions'] !== false,
    upvotes: settings['upvotes'] !== false,
    leafing: settings['leafing'] !== false,
    captions: settings['captions'] === true,
  };
}

export function applyLifecycle(part: Lifecycle, { type, at, fields }: SessionEvent): Lifecycle {
  switch (type) {
    case 'session.updated': {
      const settings = fieldsOf(fields['settings']);
      return {
        ...part,
        title: textOf(fields['title']),
        anonymousQuestions: settings['anonymous_questions'] !== false,
        upvotes: settings['upvotes'] !== false,
        leafing: settings['leafing'] !== false,
        captions: settings['captions'] === true,
      };
    }
    case 'session.scheduled':
      return { ...part, phase: 'scheduled', startsAt: numberOf(fields['starts_at']) };
    case 'session.code_renewed':
      return { ...part, code: textOf(fields['code']) };
    case 'session.started':
      return { ...part, phase: 'live', startedAt: at, taughtS: 0, taughtAt: at };
    case 'session.paused':
      return { ...part, phase: 'paused', taughtS: taughtAt(part, at), taughtAt: at };
    case 'session.resumed':
      return { ...part, phase: 'live', taughtAt: at };
    case 'session.ended':
      return { ...part, phase: 'ended', endedAt: at, taughtS: taughtAt(part, at), taughtAt: at };
    case 'session.cancelled':
      return { ...part, phase: 'cancelled' };
    case 'session.expired':
      return { ...part, phase: 'expired' };
    default:
      return part;
  }
}

/** Duration of the lesson at a time of the server's clock, without pauses. */
export function taughtAt(part: Lifecycle, at: number): number {
  return part.taughtS + (part.phase === 'live' ? Math.max(at - part.taughtAt, 0) : 0);
}

export const SCENES = ['screen', 'camera', 'slides', 'whiteboard', 'student_work'] as const;

export interface Scene {
  id: string;
  kind: (typeof SCENES)[number];
  source: string;
  title: string;
}

/** Decisions of a tutor that everybody sees. */
export interface Direction {
  locked: boolean;
  spotlight: string;
  pins: readonly string[];
  /** Undefined: no scene is shown. */
  scene: Scene | undefined;
  /** For staff. */
  scenes: readonly Scene[];
}

function readScene(value: unknown): Scene {
  const fields = fieldsOf(value);
  return {
    id: textOf(fields['id']) || textOf(fields['scene']),
    kind: wordOf(fields['kind'], SCENES),
    source: textOf(fields['source']),
    title: textOf(fields['title']),
  };
}

export function readDirection(moderation: Fields, studio: Fields): Direction {
  return {
    locked: moderation['locked'] === true,
    spotlight: textOf(moderation['spotlight']),
    pins: textsOf(moderation['pins']),
    scene: !isFields(studio['current']) ? undefined : readScene(studio['current']),
    scenes: listOf(studio['scenes']).map(readScene),
  };
}

export function applyDirection(part: Direction, { type, fields }: SessionEvent): Direction {
  const person = textOf(fields['person']);
  switch (type) {
    case 'moderation.locked':
      return { ...part, locked: fields['locked'] === true };
    case 'moderation.spotlit':
      return { ...part, spotlight: person };
    case 'moderation.pinned':
      return { ...part, pins: [...part.pins, person] };
    case 'moderation.unpinned':
      return { ...part, pins: part.pins.filter((each) => each !== person) };
    case 'people.left':
      return fields['reason'] === 'replaced' ? part : withoutPerson(part, person);
    case 'studio.scene_added':
      return { ...part, scenes: [...part.scenes, readScene(fields)] };
    case 'studio.scene_removed':
      return { ...part, scenes: part.scenes.filter(({ id }) => id !== fields['scene']) };
    case 'studio.switched':
      return { ...part, scene: textOf(fields['kind']) === '' ? undefined : readScene(fields) };
    default:
      return part;
  }
}

/** When a student leaves, the scene of their screen ends. */
function withoutPerson(part: Direction, person: string): Direction {
  const { scene } = part;
  return {
    ...part,
    spotlight: part.spotlight === person ? '' : part.spotlight,
    pins: part.pins.filter((each) => each !== person),
    scene: scene?.kind === 'student_work' && scene.source === person ? undefined : scene,
  };
}
