import { t } from '../../client/text/catalogue';
import { Dialog } from '../../ui/surfaces/Dialog';
import { Switch } from '../../ui/controls/Switch';
import { KEYS } from '../shortcuts';

const ROWS = [
  ['shortcuts.mic', [KEYS.microphone, 'Ctrl D']],
  ['shortcuts.camera', [KEYS.camera, 'Ctrl E']],
  ['shortcuts.share', [KEYS.share]],
  ['shortcuts.hand', [KEYS.hand]],
  ['shortcuts.chat', [KEYS.chat]],
  ['shortcuts.people', [KEYS.people]],
  ['shortcuts.view', [KEYS.view]],
  ['shortcuts.fullscreen', [KEYS.fullscreen]],
  ['shortcuts.saver', [KEYS.saver]],
  ['shortcuts.zoom', ['+', '-', '0']],
  ['shortcuts.help', [KEYS.help]],
  ['shortcuts.close', ['Esc']],
] as const;

interface ShortcutsDialogProps {
  letters: boolean;
  onLetters: (on: boolean) => void;
  onClose: () => void;
}

/** All keys, and the switch that turns single letters off. */
export function ShortcutsDialog({ letters, onLetters, onClose }: ShortcutsDialogProps) {
  return (
    <Dialog title={t('shortcuts.title')} testId="shortcuts-dialog" onClose={onClose}>
      <Switch
        label={t('shortcuts.letters')}
        help={t('shortcuts.lettersHelp')}
        on={letters}
        testId="letters"
        onChange={onLetters}
      />
      <dl className="shortcuts">
        {ROWS.map(([label, keys]) => (
          <div key={label}>
            <dt>{t(label)}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
