import { MODES } from '../../client/classroom/live/work/chat';
import { s } from '../../client/text/sessions/texts';
import { useLive } from '../live/context';

/** How the messages of students are moderated: staff choose it, students are told. */
export function ChatModeration() {
  const { state, staff, run } = useLive();
  const { mode, intervalS } = state.chat;
  if (staff) {
    return (
      <label className="chat-mode">
        <span className="soft">{s('chat.mode')}</span>
        <select
          data-testid="chat-mode"
          value={mode}
          onChange={(event) => void run('/chat/mode', { mode: event.target.value })}
        >
          {MODES.map((each) => (
            <option key={each} value={each}>
              {s(`chat.${each}`)}
            </option>
          ))}
        </select>
      </label>
    );
  }
  const told = {
    open: undefined,
    slow: s('chat.slowTold', { seconds: intervalS }),
    staff_first: s('chat.staffFirstTold'),
    closed: s('chat.closedTold'),
  }[mode];
  return told === undefined ? null : (
    <p className="soft" role="status" data-testid="chat-told">
      {told}
    </p>
  );
}
