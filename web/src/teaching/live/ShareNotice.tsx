import { useLocalParticipant } from '@livekit/components-react';

import { s } from '../../client/text/sessions/texts';
import { useLive } from './context';

/** Tells students who share a screen who can see it. */
export function ShareNotice() {
  const { state, staff, me } = useLive();
  const { isScreenShareEnabled } = useLocalParticipant();
  if (staff || !isScreenShareEnabled) return null;
  const { scene } = state.direction;
  const shown = scene?.kind === 'student_work' && scene.source === me;
  return (
    <p className="notice" role="status" data-testid="share-notice">
      {s(shown ? 'wall.yoursShown' : 'wall.yours')}
    </p>
  );
}
