/** Choosing what everybody sees. */
import { textOf } from '../json';
import type { Scene } from './live/lifecycle';
import type { FollowedSession } from './live/session';

/** The content of a scene; two scenes with the same source are equal. */
export type Wanted = Pick<Scene, 'kind' | 'source'>;

export function sameScene(a: Wanted | undefined, b: Wanted | undefined): boolean {
  return a?.kind === b?.kind && a?.source === b?.source;
}

/** Show a scene to everybody, or none. An existing scene is used again, because their number is limited. */
export async function showScene(
  session: FollowedSession,
  { scene, scenes }: { scene: Scene | undefined; scenes: readonly Scene[] },
  wanted: Wanted | undefined,
): Promise<void> {
  if (sameScene(scene, wanted)) return;
  let id = '';
  if (wanted !== undefined) {
    const known = scenes.find((each) => sameScene(each, wanted));
    id = known?.id ?? textOf((await session.command('/scenes', wanted))['id']);
  }
  await session.command('/scenes/switch', { scene: id });
}
