import { useEffect, useRef, useState, type ReactNode, type SyntheticEvent } from 'react';

import { timeOfDay, t } from '../../client/text/catalogue';
import { Button } from '../../ui/controls/Button';
import { IconButton } from '../../ui/controls/IconButton';
import { Menu } from '../../ui/controls/Menu';
import { Confirm } from '../../ui/surfaces/Confirm';
import { Panel } from '../../ui/surfaces/Panel';
import { useStore } from '../../ui/hooks/useStore';
import type { ChatLine, LineAction } from '../chatLog';
import type { Chat } from '../wire';
import { linkParts } from './links';

// daily-js's limit for a message, less the other fields of the message.
const MAX_TEXT_LENGTH = 3000;

interface ChatPanelProps {
  chat: Chat;
  /** Identity of the user. */
  me: string;
  mayWrite: boolean;
  /** Above the lines. */
  head?: ReactNode;
  onNotice: (words: string) => void;
  onClose: () => void;
}

/** Text messages to everyone in the room. */
export function ChatPanel({ chat, me, mayWrite, head, onNotice, onClose }: ChatPanelProps) {
  const { lines } = useStore(chat.state);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'end' });
  }, [lines]);
  const pinned = lines.filter((line) => line.pinned === true);
  const lineOf = (line: ChatLine, index: number, testId = 'chat-line') => (
    // Without an id, lines are only added at the end, so the index identifies them.
    <Line key={line.id ?? `${line.atMs}/${index}`} line={line} own={line.from === me} testId={testId} />
  );
  return (
    <Panel title={t('control.chat')} testId="chat-panel" onClose={onClose}>
      {head}
      {pinned.length > 0 && (
        <section className="chat-pinned" aria-label={t('chat.pinned')} data-testid="chat-pinned">
          {pinned.map((line, index) => lineOf(line, index, 'chat-pinned-line'))}
        </section>
      )}
      {/* Reachable by keyboard, because it scrolls. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above; axe demands it */}
      <div className="chat-lines" role="log" aria-label={t('chat.lines')} tabIndex={0}>
        {lines.map((line, index) => lineOf(line, index))}
        {lines.length === 0 && <div className="soft">{t('chat.empty')}</div>}
        <div ref={end} aria-hidden="true" />
      </div>
      {mayWrite && <ChatForm chat={chat} onNotice={onNotice} />}
    </Panel>
  );
}

interface LineProps {
  line: ChatLine;
  own: boolean;
  testId: string;
}

/** A line with what the user may do with it. */
function Line({ line, own, testId }: LineProps) {
  const [asked, setAsked] = useState<LineAction>();
  const [edited, setEdited] = useState<LineAction>();
  const name = line.name === '' ? t('guest') : line.name;
  const start = (action: LineAction): void => {
    if (action.edits === true) setEdited(action);
    else if (action.ask === undefined) action.run(line.text);
    else setAsked(action);
  };
  const actions = line.actions ?? [];
  return (
    <div className={own ? 'chat-line chat-own' : 'chat-line'} data-testid={testId}>
      <span className="chat-head soft">
        {name} · {timeOfDay(line.atMs)}
        {line.note !== undefined && line.note !== '' && ` · ${line.note}`}
        {actions.length > 0 && (
          <Menu
            button={{
              icon: 'more',
              look: 'bare',
              label: t('chat.more', { name, time: timeOfDay(line.atMs) }),
              testId: 'chat-more',
            }}
            entries={actions.map((action) => ({ ...action, onAction: () => start(action) }))}
          />
        )}
      </span>
      {edited === undefined ? (
        <span className="chat-text">
          <LinkedText text={line.text} />
        </span>
      ) : (
        <EditForm
          text={line.text}
          onSave={(text) => {
            setEdited(undefined);
            if (text !== line.text) edited.run(text);
          }}
          onCancel={() => setEdited(undefined)}
        />
      )}
      {asked?.ask !== undefined && (
        <Confirm
          title={asked.ask.title}
          detail={asked.ask.detail}
          action={asked.label}
          testId="chat-dialog"
          confirmId="chat-confirm"
          onConfirm={() => {
            setAsked(undefined);
            asked.run(line.text);
          }}
          onCancel={() => setAsked(undefined)}
        />
      )}
    </div>
  );
}

interface EditFormProps {
  text: string;
  onSave: (text: string) => void;
  onCancel: () => void;
}

function EditForm({ text, onSave, onCancel }: EditFormProps) {
  const [changed, setChanged] = useState(text);
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => input.current?.focus(), []);
  const said = changed.trim();
  return (
    <form
      className="chat-edit"
      onSubmit={(event) => {
        event.preventDefault();
        if (said !== '') onSave(said);
      }}
    >
      <textarea
        ref={input}
        aria-label={t('chat.change')}
        data-testid="chat-edit-text"
        rows={2}
        maxLength={MAX_TEXT_LENGTH}
        value={changed}
        onChange={(event) => setChanged(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          // Escape would close the panel as well.
          event.stopPropagation();
          onCancel();
        }}
      />
      <span className="row">
        <Button onPress={onCancel}>{t('action.cancel')}</Button>
        <Button submit look="primary" testId="chat-edit-save">
          {t('action.save')}
        </Button>
      </span>
    </form>
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
