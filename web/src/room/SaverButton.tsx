import { t } from '../client/text/catalogue';
import { IconButton } from '../ui/controls/IconButton';
import type { Toggle } from './controls/useMedia';

/** Turns the data saver on and off with one press: people need it when their connection is bad, and menus are slow then. */
export function SaverButton({ saver }: { saver: Toggle }) {
  return (
    <IconButton
      look="bare"
      icon="saver"
      label={t(saver.on ? 'control.saverOff' : 'control.saver')}
      testId="saver-button"
      state={saver.on ? 'on' : 'off'}
      active={saver.on}
      onPress={saver.toggle}
    />
  );
}
