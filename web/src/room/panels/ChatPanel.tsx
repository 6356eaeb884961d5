import { useEffect, useRef, useState, type SyntheticEvent } from 'react';

import { timeOfDay, t } from '../../client/text/catalogue';
import { IconButton } from '../../ui/controls/IconButton';
import { Panel } from '../../ui/surfaces/Panel';
import { useStore } from '../../ui/hooks/useStore';
import type { Chat } from '../wire';
import { linkParts } from './links';

// daily-js's limit for a message, less the other fields of the message.
const MAX_TEXT_LENGTH = 3000;

interface ChatPanelProps {
  chat: Chat;
  /** Identity of the user. */
  me: string;
  mayWrite: boolean;
  onNotice: (words: string) => void;
  onClose: () => void;
}

/** Text messages to everyone in the room. */
export function ChatPanel({ chat, me, mayWrite, onNotice, onClose }: ChatPanelProps) {
  const { lines } = useStore(chat.state);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'end' });
  }, [lines]);
  return (
    <Panel title={t('control.chat')} testId="chat-panel" onClose={onClose}>
      {/* Reachable by keyboard, because it scrolls. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above; axe demands it */}
      <div className="chat-lines" role="log" aria-label={t('chat.lines')} tabIndex={0}>
        {lines.map((line, index) => (
          // Lines are only added at the end, so the index identifies them.
          <div
            key={`${line.atMs}/${index}`}
            className={line.from === me ? 'chat-line chat-own' : 'chat-line'}
            data-testid="chat-line"
          >
            <span className="soft">
              {line.name === '' ? t('guest') : line.name} · {timeOfDay(line.atMs)}
              {line.note !== undefined && line.note !== '' && ` · ${line.note}`}
            </span>
            <span className="chat-text">
              <LinkedText text={line.text} />
            </span>
          </div>
        ))}
        {lines.length === 0 && <div className="soft">{t('chat.empty')}</div>}
        <div ref={end} aria-hidden="true" />
      </div>
      {mayWrite && <ChatForm chat={chat} onNotice={onNotice} />}
    </Panel>
  );
}

function ChatForm({ chat, onNotice }: Pick<ChatPanelProps, 'chat' | 'onNotice'>) {
  const [text, setText] = useState('');
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const said = text.trim();
    if (said === '') return;
    setText('');
    chat.send(said).catch(() => {
      setText(said);
      onNotice(t('problem.chat'));
    });
  };
  return (
    <form className="chat-form" onSubmit={submit}>
      <input
        aria-label={t('chat.label')}
        placeholder={t('chat.label')}
        data-testid="chat-input"
        autoComplete="off"
        maxLength={MAX_TEXT_LENGTH}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <IconButton look="bare" icon="send" label={t('action.send')} testId="chat-send" submit />
    </form>
  );
}

/** Text with its web addresses as links. All of it stays text: nothing is parsed as HTML. */
function LinkedText({ text }: { text: string }) {
  return linkParts(text).map(({ text: part, href }, index) =>
    href === undefined ? (
      part
    ) : (
      <a key={index} href={href} target="_blank" rel="noopener noreferrer nofollow">
        {part}
      </a>
    ),
  );
}
