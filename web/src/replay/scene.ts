/** The content of the stage at a moment: pure functions over the marks of the session's log. */
import type { Mark } from '../client/recordings/replay';

export interface Scene {
  /** `screen`, `camera`, `student_work`, `slides`, `whiteboard`; empty while no scene was shown. */
  kind: string;
  /** Id of the person or deck. */
  source: string;
  spotlight: string;
  /** The current slide of each deck. */
  pages: Readonly<Record<string, number>>;
}

export const NO_SCENE: Scene = { kind: '', source: '', spotlight: '', pages: {} };

/** The scene at a time. `marks` are in order. */
export function sceneAt(marks: readonly Mark[], timeS: number): Scene {
  let scene = NO_SCENE;
  for (const mark of marks) {
    if (mark.atS > timeS) break;
    if (mark.kind === 'scene') scene = { ...scene, kind: mark.id, source: mark.by };
    else if (mark.kind === 'spotlight') scene = { ...scene, spotlight: mark.by };
    else if (mark.kind === 'slide') scene = { ...scene, pages: { ...scene.pages, [mark.id]: mark.page } };
    // A student's work is shown while the student is present.
    else if (mark.kind === 'leave' && scene.kind === 'student_work' && scene.source === mark.by) {
      scene = { ...scene, kind: '', source: '' };
    }
  }
  return scene;
}

/** A video track that can be shown. */
export interface Candidate {
  number: number;
  person: string;
  source: string;
  /** Whether the track has a picture now; undefined while this is unknown. */
  shown: boolean | undefined;
}

export type Large =
  | { kind: 'track'; number: number }
  | { kind: 'slide'; deck: string; page: number }
  | { kind: 'whiteboard' }
  | { kind: 'nothing' };

export interface Arrangement {
  large: Large;
  /** Number of the track in the corner. */
  small: number | undefined;
}

/** The large track and the one in the corner: the scene, otherwise a screen, otherwise the spotlight or the speaker. */
export function arrange(
  scene: Scene,
  candidates: readonly Candidate[],
  speaker: string,
  owner: string,
): Arrangement {
  const present = candidates.filter(({ shown }) => shown !== false);
  const find = (person: string, source: string): Candidate | undefined =>
    present.find((each) => each.person === person && each.source === source);
  const cameras = present.filter(({ source }) => source === 'camera');
  const face = find(speaker, 'camera') ?? find(owner, 'camera') ?? cameras[0];
  const large = largeOf(scene, present, find) ?? (face === undefined ? undefined : trackOf(face));
  const small = large?.kind === 'track' && large.number === face?.number ? undefined : face?.number;
  return { large: large ?? { kind: 'nothing' }, small };
}

const trackOf = ({ number }: Candidate): Large => ({ kind: 'track', number });

function largeOf(
  scene: Scene,
  present: readonly Candidate[],
  find: (person: string, source: string) => Candidate | undefined,
): Large | undefined {
  if (scene.kind === 'slides') {
    return { kind: 'slide', deck: scene.source, page: scene.pages[scene.source] ?? 1 };
  }
  if (scene.kind === 'whiteboard') return { kind: 'whiteboard' };
  const wanted =
    scene.kind === 'camera'
      ? find(scene.source, 'camera')
      : (find(scene.source, 'screen_share') ??
        present.find(({ source, shown }) => source === 'screen_share' && shown === true));
  const found = wanted ?? find(scene.spotlight, 'camera');
  return found === undefined ? undefined : trackOf(found);
}

/** A person's loudness, from 0 to 1. */
export type Levels = Readonly<Record<string, number>>;

const QUIET = 0.01;
/** Another person must be louder than the current speaker by this factor. */
const LOUDER = 1.6;

/** The speaker: the previous one, unless another person is clearly louder. */
export function speakerOf(levels: Levels, before: string): string {
  let loudest = '';
  for (const [person, level] of Object.entries(levels)) {
    if (level > (levels[loudest] ?? QUIET)) loudest = person;
  }
  if (loudest === '' || loudest === before) return before;
  return (levels[loudest] ?? 0) > (levels[before] ?? 0) * LOUDER ? loudest : before;
}
