import { useLocalParticipantPermissions } from '@livekit/components-react';
import type { ReactNode } from 'react';

import { t } from '../../client/text/catalogue';
import { DeviceToggle } from '../../ui/controls/DeviceToggle';
import { IconButton } from '../../ui/controls/IconButton';
import { Menu, type MenuEntry } from '../../ui/controls/Menu';
import { KEYS } from '../shortcuts';
import type { RoomView, Sidebar } from '../view';
import type { Toggle } from './useMedia';

export interface ControlsProps {
  microphone: Toggle;
  camera: Toggle;
  screen: Toggle;
  hand: Toggle;
  view: RoomView;
  unread: number;
  /** Whether single letters are shortcuts, so that tooltips name them. */
  letters: boolean;
  features: { people: boolean; chat: boolean; network: boolean };
  menu: readonly MenuEntry[];
  /** Buttons of an application. */
  tray: ReactNode;
  onSidebar: (sidebar: Sidebar) => void;
  /** Undefined where the embedding page has its own button. */
  onLeave: (() => void) | undefined;
}

/** The row of buttons below the tiles: the user's media, then leaving, then the panels. */
export function Controls(props: ControlsProps) {
  const { microphone, camera, view, unread, letters, features, menu, tray, onSidebar, onLeave } = props;
  const permission = useLocalParticipantPermissions();
  const key = (command: keyof typeof KEYS): string | undefined => (letters ? KEYS[command] : undefined);
  const open = (sidebar: Exclude<Sidebar, null>) => ({
    pressed: view.sidebar === sidebar,
    active: view.sidebar === sidebar,
    onPress: () => onSidebar(view.sidebar === sidebar ? null : sidebar),
  });
  return (
    <footer className="controls">
      <div className="buttons" role="group" aria-label={t('control.bar')}>
        <DeviceButton kind="microphone" toggle={microphone} shortcut={key('microphone')} />
        <DeviceButton kind="camera" toggle={camera} shortcut={key('camera')} />
        <ScreenAndHand {...props} />
        {features.people && (
          <IconButton
            icon="people"
            label={t('control.people')}
            caption={t('control.people')}
            shortcut={key('people')}
            testId="toggle-people"
            {...open('people')}
          />
        )}
        {features.chat && (
          <IconButton
            icon="chat"
            label={unread === 0 ? t('control.chat') : t('control.chatNew', { count: unread })}
            caption={t('control.chat')}
            shortcut={key('chat')}
            badge={unread}
            testId="toggle-chat"
            {...open('chat')}
          />
        )}
        {tray}
        <Menu
          button={{
            icon: 'more',
            label: t('control.more'),
            caption: t('control.more'),
            testId: 'toggle-more',
          }}
          entries={menu}
        />
        {onLeave !== undefined && (
          <IconButton
            icon="leave"
            label={t('control.leave')}
            caption={t('control.leave')}
            danger
            testId="leave"
            onPress={onLeave}
          />
        )}
      </div>
      {permission?.canPublish === false && <p className="hint">{t('notice.watchOnly')}</p>}
    </footer>
  );
}

interface DeviceButtonProps {
  kind: 'camera' | 'microphone';
  toggle: Toggle;
  shortcut: string | undefined;
}

function DeviceButton({ kind, toggle: { on, disabled, toggle }, shortcut }: DeviceButtonProps) {
  return (
    <DeviceToggle
      kind={kind}
      state={on ? 'on' : 'off'}
      testId={kind === 'camera' ? 'toggle-camera' : 'toggle-mic'}
      disabled={disabled}
      shortcut={shortcut}
      onToggle={() => toggle?.()}
    />
  );
}

function ScreenAndHand({ screen, hand, letters }: ControlsProps) {
  return (
    <>
      {screen.toggle !== undefined && (
        <IconButton
          icon={screen.on ? 'screen-stop' : 'screen'}
          label={t(screen.on ? 'control.unshare' : 'control.share')}
          caption={t(screen.on ? 'short.unshare' : 'short.share')}
          shortcut={letters ? KEYS.share : undefined}
          active={screen.on}
          state={screen.on ? 'on' : 'off'}
          testId="toggle-screen"
          disabled={screen.disabled}
          onPress={screen.toggle}
        />
      )}
      {hand.toggle !== undefined && (
        <IconButton
          icon="hand"
          label={t(hand.on ? 'control.lower' : 'control.raise')}
          caption={t('short.hand')}
          shortcut={letters ? KEYS.hand : undefined}
          active={hand.on}
          state={hand.on ? 'on' : 'off'}
          testId="toggle-hand"
          disabled={hand.disabled}
          onPress={hand.toggle}
        />
      )}
    </>
  );
}
