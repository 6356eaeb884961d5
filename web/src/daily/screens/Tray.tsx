import type { TrayButton } from '../call/appearance';
import type { Embedder } from '../embedder';

interface TrayProps {
  buttons: readonly TrayButton[];
  embedder: Embedder | undefined;
}

/** The buttons that an application adds. */
export function Tray({ buttons, embedder }: TrayProps) {
  return buttons.map((button) => (
    <button
      key={button.id}
      type="button"
      className={button.active ? 'tray tray-active' : 'tray'}
      data-testid={`tray-${button.id}`}
      title={button.tooltip}
      onClick={() => embedder?.pressed(button.id)}
    >
      {button.label}
    </button>
  ));
}
