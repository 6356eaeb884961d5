/** The session's rules for the stage: raised hands, shown screens, the large tile. */
import type { SessionState } from '../../client/classroom/live/state';
import { isStaff } from '../../client/classroom/sessions';
import { tileKey } from '../../stage/order';
import type { StageRules } from '../../stage/rules';

/**
 * Staff receive the screens of all students, which the wall shows: the stage has only a screen that is watched or shown to
 * everybody. Students receive only screens that they may see.
 */
export function rulesOf(state: SessionState, watched: string | undefined): StageRules {
  const { people, direction } = state;
  const hands = new Map(people.hands.map(({ person, at }) => [person, at * 1000]));
  const roles = new Map(people.present.map(({ id, role }) => [id, role]));
  const { scene } = direction;
  return {
    handAt: ({ identity }) => hands.get(identity) ?? 0,
    showsScreen: (identity) => {
      const role = roles.get(identity);
      if (!isStaff(people.role) || role === undefined || isStaff(role)) return true;
      return identity === watched || (scene?.kind === 'student_work' && scene.source === identity);
    },
  };
}

/** The tile that is large for everybody, or the screen that a tutor watches; undefined for none. */
export function pinnedOf({ direction }: SessionState, watched: string | undefined): string | undefined {
  if (watched !== undefined) return tileKey({ identity: watched, isScreen: true });
  const { scene, spotlight, pins } = direction;
  if (scene?.kind === 'screen' || scene?.kind === 'student_work') {
    return tileKey({ identity: scene.source, isScreen: true });
  }
  if (scene?.kind === 'camera') return scene.source;
  return spotlight || pins[0];
}
