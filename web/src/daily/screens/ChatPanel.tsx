import { useEffect, useRef, useState, type SyntheticEvent } from 'react';

import { Icon } from '../../ui/Icon';
import type { Meeting } from '../call/meeting';
import type { ChatLine } from '../call/packets';
import { Panel } from './Panel';

// daily-js's limit for a message, less the other fields of the message.
const MAX_TEXT_LENGTH = 3000;

interface ChatPanelProps {
  meeting: Meeting;
  lines: readonly ChatLine[];
  onClose: () => void;
}

/** Text messages to everyone in the meeting. */
export function ChatPanel({ meeting, lines, onClose }: ChatPanelProps) {
  const [text, setText] = useState('');
  const end = useRef<HTMLLIElement>(null);
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'end' });
  }, [lines]);

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const said = text.trim();
    if (said === '') return;
    setText('');
    meeting.sendChat(said).catch(() => {
      setText(said);
      meeting.notify('Your message could not be sent. Try again.');
    });
  };

  const me = meeting.room.localParticipant.identity;
  return (
    <Panel title="Chat" testId="chat-panel" onClose={onClose}>
      <ol className="chat-lines" role="log" aria-label="Messages">
        {lines.map((line, index) => (
          // Lines are only added at the end, so the index identifies them.
          <li
            key={`${line.atMs}/${index}`}
            className={line.from === me ? 'chat-line chat-own' : 'chat-line'}
            data-testid="chat-line"
          >
            <span className="soft">
              {line.name === '' ? 'Guest' : line.name} · {timeOf(line.atMs)}
            </span>
            <span className="chat-text">{line.text}</span>
          </li>
        ))}
        {lines.length === 0 && <li className="soft">No messages yet.</li>}
        <li ref={end} aria-hidden="true" />
      </ol>
      <form className="chat-form" onSubmit={submit}>
        <input
          aria-label="Message to everyone"
          placeholder="Message to everyone"
          data-testid="chat-input"
          autoComplete="off"
          maxLength={MAX_TEXT_LENGTH}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit" className="primary round" aria-label="Send" data-testid="chat-send">
          <Icon name="send" />
        </button>
      </form>
    </Panel>
  );
}

function timeOf(atMs: number): string {
  return new Date(atMs).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}
