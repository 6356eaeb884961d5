import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';

import { Icon, type IconName, type IconShape } from './Icon';

interface ButtonProps {
  children: ReactNode;
  onPress?: () => void;
  look?: 'plain' | 'primary' | 'quiet' | 'danger';
  icon?: IconName | IconShape;
  testId?: string;
  /** The whole name, where the words alone do not say enough; it contains them (WCAG 2.5.3). */
  label?: string;
  disabled?: boolean;
  submit?: boolean;
  /** It has the focus when its dialog opens. */
  firstFocus?: boolean;
}

/** A button with words. */
export function Button(props: ButtonProps) {
  const { children, onPress, look = 'plain', icon, testId, disabled = false, submit = false } = props;
  return (
    <AriaButton
      type={submit ? 'submit' : 'button'}
      className={`button button-${look}`}
      aria-label={props.label}
      data-testid={testId}
      isDisabled={disabled}
      // eslint-disable-next-line jsx-a11y/no-autofocus -- a dialog has to say where its focus starts
      autoFocus={props.firstFocus ?? false}
      {...(onPress !== undefined && { onPress })}
    >
      {icon !== undefined && <Icon name={icon} />}
      <span>{children}</span>
    </AriaButton>
  );
}
