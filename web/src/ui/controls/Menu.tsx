import { Menu as AriaMenu, MenuItem, MenuTrigger } from 'react-aria-components/Menu';
import { Popover } from 'react-aria-components/Popover';

import { Icon, type IconName, type IconShape } from './Icon';
import { IconButton, type IconButtonProps } from './IconButton';

export interface MenuEntry {
  id: string;
  icon: IconName | IconShape;
  label: string;
  shortcut?: string | undefined;
  onAction: () => void;
}

interface MenuProps {
  button: Omit<IconButtonProps, 'onPress' | 'expanded'>;
  entries: readonly MenuEntry[];
}

/** A button that opens a menu. The entries have their ids as test ids. */
export function Menu({ button, entries }: MenuProps) {
  return (
    <MenuTrigger>
      <IconButton {...button} />
      <Popover className="popover" placement="top" offset={8}>
        <AriaMenu className="menu" aria-label={button.label}>
          {entries.map(({ id, icon, label, shortcut, onAction }) => (
            <MenuItem
              key={id}
              id={id}
              className="menu-item"
              textValue={label}
              onAction={onAction}
              data-testid={id}
            >
              <Icon name={icon} />
              <span>{label}</span>
              {shortcut !== undefined && <kbd>{shortcut}</kbd>}
            </MenuItem>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
