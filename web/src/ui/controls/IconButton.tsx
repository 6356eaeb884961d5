import { useContext } from 'react';
import { Button } from 'react-aria-components/Button';

import { Icon, type IconName, type IconShape } from './Icon';
import { TooltipContext } from '../surfaces/tooltips';

export interface IconButtonProps {
  icon: IconName | IconShape;
  /** What pressing does; also the tooltip. */
  label: string;
  onPress?: (() => void) | undefined;
  testId?: string | undefined;
  /** A word below the icon, where there is room for it. */
  caption?: string | undefined;
  /** Key that does the same, shown in the tooltip. */
  shortcut?: string | undefined;
  look?: 'bar' | 'bare' | 'floating';
  /** Highlighted because what it controls is on. */
  active?: boolean;
  /** Dimmed because what it controls is off. */
  off?: boolean;
  danger?: boolean;
  pressed?: boolean | undefined;
  expanded?: boolean | undefined;
  /** `data-state`, for tests. */
  state?: string | undefined;
  badge?: number;
  disabled?: boolean;
  submit?: boolean;
}

/** A button with an icon and a tooltip. */
export function IconButton(props: IconButtonProps) {
  const { icon, label, caption, shortcut, badge = 0 } = props;
  const frame = useContext(TooltipContext);
  const button = (
    <Button
      type={props.submit === true ? 'submit' : 'button'}
      className={classOf(props)}
      aria-label={label}
      aria-keyshortcuts={shortcut}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      data-testid={props.testId}
      data-state={props.state}
      isDisabled={props.disabled ?? false}
      {...(props.onPress !== undefined && { onPress: props.onPress })}
    >
      <Icon name={icon} />
      {caption !== undefined && (
        <span className="icon-button-caption" aria-hidden="true">
          {caption}
        </span>
      )}
      {/* The name of the button has the number. As text here, `99+` would have to be in the name (WCAG 2.5.3). */}
      {badge > 0 && <span className="badge" aria-hidden="true" data-count={badge > 99 ? '99+' : badge} />}
    </Button>
  );
  return frame({ label, shortcut, children: button });
}

function classOf({
  look = 'bar',
  active = false,
  off = false,
  danger = false,
  caption,
}: IconButtonProps): string {
  return [
    'icon-button',
    `icon-button-${look}`,
    active && 'icon-button-active',
    off && 'icon-button-off',
    danger && 'icon-button-danger',
    caption !== undefined && 'icon-button-captioned',
  ]
    .filter(Boolean)
    .join(' ');
}
