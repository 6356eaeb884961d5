import type { Preview, PreviewState } from '../../client/media/devices/preview';
import { t } from '../../client/text/catalogue';
import { Button } from '../controls/Button';
import { previewProblems, retryableDevices } from './previewProblems';

interface ProblemsProps {
  preview: Preview;
  devices: PreviewState;
  /** Another problem than that of a device; empty when there is none. */
  problem: string;
  testId: string;
}

/** What prevents joining or a device, with a button that tries the failed devices again. */
export function Problems({ preview, devices, problem, testId }: ProblemsProps) {
  const failed = retryableDevices(devices);
  const words = [...previewProblems(devices), ...(problem === '' ? [] : [problem])];
  if (words.length === 0) return null;
  return (
    <div role="alert" className="problem" data-testid={testId}>
      {words.map((text) => (
        <p key={text}>{text}</p>
      ))}
      {failed.length > 0 && (
        <Button look="quiet" onPress={() => void preview.start(failed)}>
          {t('action.tryAgain')}
        </Button>
      )}
    </div>
  );
}
