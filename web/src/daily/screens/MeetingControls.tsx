import { useLocalParticipantPermissions } from '@livekit/components-react';
import { Track } from 'livekit-client';
import { useCallback, useState } from 'react';

import { mayPublish } from '../../client/media/permissions';
import { DevicePanel } from '../../ui/controls/DevicePanel';
import { CAN_SHARE, ScreenButton } from '../../ui/controls/ScreenButton';
import { SendButton } from '../../ui/controls/SendButton';
import { Icon, type IconName } from '../../ui/Icon';
import type { Appearance, Sidebar } from '../call/appearance';
import type { MeetingSettings } from '../call/door';
import type { Embedder } from '../embedder';

interface MeetingControlsProps {
  settings: MeetingSettings;
  look: Appearance;
  /** Number of unread lines of chat. */
  unread: number;
  embedder: Embedder | undefined;
  onNotice: (words: string) => void;
  onSidebar: (sidebar: Sidebar) => void;
  onView: (activeSpeakerMode: boolean) => void;
  onLeave: () => void;
}

/** The row of buttons below a meeting. */
export function MeetingControls(props: MeetingControlsProps) {
  const { settings, look, unread, embedder, onNotice, onSidebar, onView, onLeave } = props;
  const permission = useLocalParticipantPermissions();
  const [choosing, setChoosing] = useState(false);
  const close = useCallback(() => setChoosing(false), []);
  const mayShare = CAN_SHARE && settings.screenShare && mayPublish(permission, Track.Source.ScreenShare);
  const open = (sidebar: Sidebar): void => onSidebar(look.sidebar === sidebar ? null : sidebar);
  return (
    <footer className="controls">
      {choosing && <DevicePanel onNotice={onNotice} onDevice={() => undefined} onClose={close} />}
      <div className="buttons">
        <SendButton kind="microphone" onNotice={onNotice} />
        <SendButton kind="camera" onNotice={onNotice} />
        {mayShare && <ScreenButton onNotice={onNotice} />}
        <Toggle
          icon="devices"
          label="Choose devices"
          testId="toggle-devices"
          pressed={choosing}
          onPress={() => setChoosing(!choosing)}
        />
        <Toggle
          icon="speaker-view"
          label={look.activeSpeakerMode ? 'Show everyone the same size' : 'Show the speaker large'}
          testId="toggle-view"
          pressed={look.activeSpeakerMode}
          onPress={() => onView(!look.activeSpeakerMode)}
        />
        {settings.people && (
          <Toggle
            icon="people"
            label="People"
            testId="toggle-people"
            pressed={look.sidebar === 'people'}
            onPress={() => open('people')}
          />
        )}
        {settings.chat && (
          <Toggle
            icon="chat"
            label={unread === 0 ? 'Chat' : `Chat, ${unread} new`}
            testId="toggle-chat"
            pressed={look.sidebar === 'chat'}
            badge={unread}
            onPress={() => open('chat')}
          />
        )}
        {settings.network && (
          <Toggle
            icon="network"
            label="Network"
            testId="toggle-network"
            pressed={look.sidebar === 'network'}
            onPress={() => open('network')}
          />
        )}
        {look.showFullscreenButton && (
          <Toggle
            icon="fullscreen"
            label={look.fullscreen ? 'Exit full screen' : 'Full screen'}
            testId="toggle-fullscreen"
            pressed={look.fullscreen}
            onPress={() => toggleFullscreen(!look.fullscreen, embedder)}
          />
        )}
        {look.trayButtons.map((button) => (
          <button
            key={button.id}
            type="button"
            className={button.active ? 'tray tray-active' : 'tray'}
            data-testid={`tray-${button.id}`}
            title={button.tooltip}
            onClick={() => embedder?.pressed(button.id)}
          >
            {button.label}
          </button>
        ))}
        {look.showLeaveButton && (
          <button
            type="button"
            className="leave"
            data-testid="leave"
            title="Leave the meeting"
            onClick={onLeave}
          >
            <Icon name="leave" />
            Leave
          </button>
        )}
      </div>
      {permission?.canPublish === false && <p className="hint">You can watch and listen in this meeting.</p>}
    </footer>
  );
}

interface ToggleProps {
  icon: IconName;
  label: string;
  testId: string;
  pressed: boolean;
  badge?: number;
  onPress: () => void;
}

function Toggle({ icon, label, testId, pressed, badge = 0, onPress }: ToggleProps) {
  return (
    <button
      type="button"
      className={pressed ? 'round round-active' : 'round'}
      data-testid={testId}
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      onClick={onPress}
    >
      <Icon name={icon} />
      {badge > 0 && (
        <span className="badge" aria-hidden="true">
          {badge > 99 ? '99+' : badge}
        </span>
      )}
    </button>
  );
}

// Only the embedding page can make its frame fill the screen; it reports when it has.
function toggleFullscreen(on: boolean, embedder: Embedder | undefined): void {
  if (embedder !== undefined) embedder.requestFullscreen(on);
  else if (on) void document.documentElement.requestFullscreen();
  else void document.exitFullscreen();
}
