import {
  useLocalParticipant,
  useLocalParticipantPermissions,
  useRoomContext,
} from '@livekit/components-react';
import { Track } from 'livekit-client';
import { useState } from 'react';

import type { DeviceKind } from '../../client/media/devices/devices';
import { TRACK_SOURCE } from '../../client/media/devices/trackSource';
import { mayPublish } from '../../client/media/devices/permissions';
import { SCREEN_CAPTURE } from '../../client/media/sending/room';
import { switchDevice } from '../../client/media/sending/switching';
import { t } from '../../client/text/catalogue';
import { publishWords, screenWords } from '../../client/words';
import { HAND, handRaisedAt } from '../../stage/hands';

/** Something that the user can turn on and off. */
export interface Toggle {
  on: boolean;
  /** The state is changing, or the user may not change it. */
  disabled: boolean;
  /** Undefined if the browser or the room does not support it. */
  toggle: (() => void) | undefined;
}

// Browsers on phones cannot share the screen, and pages without https have no `mediaDevices` at all.
const CAN_SHARE = 'getDisplayMedia' in ((navigator.mediaDevices as MediaDevices | undefined) ?? {});

type Report = (words: string) => void;

/** The user's camera or microphone. */
export function useDevice(kind: DeviceKind, report: Report): Toggle {
  const room = useRoomContext();
  const { isCameraEnabled, isMicrophoneEnabled } = useLocalParticipant();
  const permission = useLocalParticipantPermissions();
  const [busy, setBusy] = useState(false);
  const on = kind === 'camera' ? isCameraEnabled : isMicrophoneEnabled;
  const disabled = busy || !mayPublish(permission, TRACK_SOURCE[kind]);
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      await switchDevice(room, kind, !on);
      report('');
    } catch (error) {
      report(publishWords(kind, error, window.isSecureContext));
    } finally {
      setBusy(false);
    }
  };
  return { on, disabled, toggle: disabled ? undefined : () => void run() };
}

/** The user's screen. */
export function useScreen(allowed: boolean, report: Report): Toggle {
  const room = useRoomContext();
  const { isScreenShareEnabled: on } = useLocalParticipant();
  const permission = useLocalParticipantPermissions();
  const [busy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      await room.localParticipant.setScreenShareEnabled(!on, SCREEN_CAPTURE);
    } catch (error) {
      report(screenWords(error) ?? '');
    } finally {
      setBusy(false);
    }
  };
  const possible = allowed && CAN_SHARE && mayPublish(permission, Track.Source.ScreenShare);
  return { on, disabled: busy, toggle: possible ? () => void run() : undefined };
}

/** The user's hand. */
export function useHand(allowed: boolean, report: Report): Toggle {
  const { localParticipant } = useLocalParticipant();
  const permission = useLocalParticipantPermissions();
  const [busy, setBusy] = useState(false);
  // `useLocalParticipant` renders again when attributes change.
  const on = handRaisedAt(localParticipant.attributes) > 0;
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      await localParticipant.setAttributes({ [HAND]: on ? '' : String(Date.now()) });
    } catch {
      report(t('problem.hand'));
    } finally {
      setBusy(false);
    }
  };
  const possible = allowed && permission?.canUpdateMetadata === true;
  return { on, disabled: busy, toggle: possible ? () => void run() : undefined };
}
