import { useIsRecording, useRoomContext } from '@livekit/components-react';

import { t } from '../client/text/catalogue';

/** Says in the header of a room that it is being recorded. */
export function RecordingMark() {
  if (!useIsRecording(useRoomContext())) return null;
  return (
    <p className="rec-mark" role="status" data-testid="recording">
      <span aria-hidden="true">REC</span>
      <span className="visually-hidden">{t('people.recorded')}</span>
    </p>
  );
}
