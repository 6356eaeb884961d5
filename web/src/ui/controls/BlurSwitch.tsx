import { blur } from '../../client/media/devices/blur';
import { t } from '../../client/text/catalogue';
import { useStore } from '../hooks/useStore';
import { Switch } from './Switch';

/** Turns the blur of the user's background on and off; nothing where the camera or the browser has none. */
export function BlurSwitch() {
  const { on, possible } = useStore(blur.state);
  if (!possible) return null;
  return (
    <Switch label={t('device.blur')} on={on} testId="blur" onChange={(wanted) => void blur.set(wanted)} />
  );
}
