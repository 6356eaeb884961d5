import { t } from '../../client/text/catalogue';
import type { MenuEntry } from '../../ui/controls/Menu';
import { KEYS, type Command } from '../shortcuts';
import type { RoomView } from '../view';
import type { Toggle } from './useMedia';

interface MenuParts {
  view: RoomView;
  fullscreen: { on: boolean; toggle: () => void } | undefined;
  saver: Toggle;
  network: boolean;
  letters: boolean;
  /** Undefined if the user may not invite. */
  copyLink: (() => void) | undefined;
  onView: () => void;
  onNetwork: () => void;
  onDevices: () => void;
  onShortcuts: () => void;
}

/** The entries of the menu behind the button with three dots. */
export function menuEntries(parts: MenuParts): MenuEntry[] {
  const { view, fullscreen, saver, network, letters, copyLink } = parts;
  const key = (command: Command): string | undefined => (letters ? KEYS[command] : undefined);
  return [
    {
      id: 'toggle-view',
      icon: view.activeSpeakerMode ? 'grid' : 'speaker-view',
      label: t(view.activeSpeakerMode ? 'control.gridView' : 'control.speakerView'),
      shortcut: key('view'),
      onAction: parts.onView,
    },
    ...(fullscreen === undefined
      ? []
      : [
          {
            id: 'toggle-fullscreen',
            icon: fullscreen.on ? ('fullscreen-exit' as const) : ('fullscreen' as const),
            label: t(fullscreen.on ? 'control.fullscreenExit' : 'control.fullscreen'),
            shortcut: key('fullscreen'),
            onAction: fullscreen.toggle,
          },
        ]),
    {
      id: 'toggle-saver',
      icon: 'saver',
      label: t(saver.on ? 'control.saverOff' : 'control.saver'),
      shortcut: key('saver'),
      onAction: () => saver.toggle?.(),
    },
    ...(copyLink === undefined
      ? []
      : [{ id: 'copy-link', icon: 'link' as const, label: t('action.copy'), onAction: copyLink }]),
    ...(network
      ? [
          {
            id: 'toggle-network',
            icon: 'network' as const,
            label: t('control.network'),
            onAction: parts.onNetwork,
          },
        ]
      : []),
    { id: 'toggle-devices', icon: 'devices', label: t('control.devices'), onAction: parts.onDevices },
    {
      id: 'toggle-shortcuts',
      icon: 'keyboard',
      label: t('control.shortcuts'),
      shortcut: KEYS.help,
      onAction: parts.onShortcuts,
    },
  ];
}
