import { s } from '../../client/text/sessions/texts';
import { Panel } from '../../ui/surfaces/Panel';
import { useLive } from '../live/context';

// The server's fixed set (`classroom/features/reactions.py`).
const EXPRESSIONS = ['👍', '👎', '👏', '❤️', '😂', '😮', '😢', '🎉', '🤔', '✅', '❌', '🐢', '🐇', '☕'];

/** Reactions, with the number of times each was shown. */
export function ReactionsPanel({ onClose }: { onClose: () => void }) {
  const { state, run } = useLive();
  return (
    <Panel title={s('panel.react')} testId="reactions-panel" onClose={onClose}>
      <div className="reactions" role="group" aria-label={s('react.all')}>
        {EXPRESSIONS.map((expression) => (
          <button
            key={expression}
            type="button"
            className="reaction"
            data-testid="reaction"
            onClick={() => void run('/reactions', { expression })}
          >
            <span>{expression}</span>
            <span className="soft">{state.chat.reactions[expression] ?? ''}</span>
          </button>
        ))}
      </div>
    </Panel>
  );
}
