import type { DataSaver } from '../client/media/sending/saver';
import { publishWords } from '../client/words';
import { useStore } from '../ui/hooks/useStore';
import type { Toggle } from './controls/useMedia';

/** Data saver as something that can be turned on and off. */
export function useSaver(saver: DataSaver, report: (words: string) => void): Toggle {
  const { on } = useStore(saver.state);
  const toggle = (): void => {
    saver.set(!on).catch((error: unknown) => report(publishWords('camera', error, window.isSecureContext)));
  };
  return { on, disabled: false, toggle };
}
