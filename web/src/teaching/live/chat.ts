/** The messages of a session as lines of the chat, and what a person may do with each. */
import type { FollowedSession } from '../../client/classroom/live/session';
import { nameOf, type SessionState } from '../../client/classroom/live/state';
import type { Message } from '../../client/classroom/live/work/chat';
import { isStaff, pathOf } from '../../client/classroom/sessions';
import { Store } from '../../client/store';
import { s } from '../../client/text/sessions/texts';
import type { ChatLine, ChatState, LineAction } from '../../room/chatLog';
import type { Chat } from '../../room/wire';
import { TEACHING } from '../../ui/controls/teachingIcons';

/** The calls that change a message; the paths begin with `/chat`. They report a refusal to the user. */
export interface Calls {
  post: (path: string) => void;
  patch: (path: string, body: object) => void;
  delete: (path: string) => void;
}

/** The chat as lines. In a breakout, messages go to the people of the breakout. `run` reports refusals to the user. */
export function chatOf(
  session: FollowedSession,
  me: string,
  run: (call: () => Promise<unknown>) => unknown,
): Chat {
  const store = new Store<ChatState>({ lines: [], unread: 0 });
  const { caller } = session;
  const whole = (path: string): string => pathOf(session.id) + path;
  const calls: Calls = {
    post: (path) => void run(() => session.command(path)),
    patch: (path, body) => void run(() => caller.patch(whole(path), body)),
    delete: (path) => void run(() => caller.delete(whole(path))),
  };
  let open = false;
  let seen: number | undefined;
  // Most events change neither the messages nor the people, so the lines stay.
  let shown: SessionState | undefined;
  let lines: readonly ChatLine[] = [];
  const update = (): void => {
    const { inside } = session.state.snapshot();
    if (inside === undefined) return;
    const { messages } = inside.chat;
    if (shown?.chat !== inside.chat || shown.people !== inside.people) {
      shown = inside;
      const next = messages
        .filter(({ deleted }) => !deleted)
        .map((message) => lineOf(inside, message, me, calls));
      // Lines that look the same stay the same object, since the panel scrolls to the end when they change.
      if (lines.length !== next.length || next.some((line, index) => looks(line) !== looks(lines[index]))) {
        lines = next;
      }
    }
    // Messages written before this page joined are not new.
    seen ??= messages.at(-1)?.at ?? 0;
    const before = seen;
    const fresh = messages.filter(({ at, by }) => at > before && by !== me).length;
    if (open) seen = messages.at(-1)?.at ?? seen;
    const unread = open ? 0 : fresh;
    const last = store.snapshot();
    if (last.unread !== unread || last.lines !== lines) store.set({ lines, unread });
  };
  session.state.subscribe(update);
  update();
  return {
    state: store,
    setOpen: (wanted) => {
      open = wanted;
      update();
    },
    send: async (text) => {
      await session.command('/chat', { text, ...readersNow(session.state.snapshot().inside) });
    },
  };
}

/** Who reads what is written now: everybody, the people of a breakout, or staff alone. */
function readersNow(state: SessionState | undefined): { scope?: string; target?: string } {
  if (state === undefined) return {};
  const { breakouts, chat, people } = state;
  if (breakouts.open && breakouts.mine !== '') return { scope: 'breakout', target: breakouts.mine };
  return chat.mode === 'closed' && !isStaff(people.role) ? { scope: 'staff' } : {};
}

/** What of a line can change and be seen. */
function looks(line: ChatLine | undefined): string {
  return JSON.stringify([line, line?.actions?.map(({ id }) => id)]);
}

export function lineOf(state: SessionState, message: Message, me: string, calls: Calls): ChatLine {
  const { id, by, text, at, pinned } = message;
  return {
    id,
    from: by,
    name: nameOf(state, by),
    text,
    atMs: at * 1000,
    note: noteOf(state, message, me),
    pinned,
    actions: actionsOf(state, message, me, calls),
  };
}

/** Other readers of a message, and whether it was changed; empty for a message to everybody as it was sent. */
function noteOf(state: SessionState, message: Message, me: string): string {
  const readers = readersOf(state, message, me);
  return [readers, message.edited ? s('chat.edited') : ''].filter((words) => words !== '').join(', ');
}

function readersOf(state: SessionState, { scope, target, held }: Message, me: string): string {
  if (held) return s('chat.held');
  switch (scope) {
    case 'all':
      return '';
    case 'staff':
      return s('chat.staff');
    case 'breakout':
      return s('chat.breakout');
    case 'person':
      return target === me ? s('chat.toYou') : s('chat.private', { name: nameOf(state, target) });
  }
}

/** What the rules of the session (`classroom/features/chat.py`) let a person do with a message. */
function actionsOf(state: SessionState, message: Message, me: string, calls: Calls): LineAction[] {
  const { id, by, scope, held, pinned } = message;
  const own = by === me;
  const staff = isStaff(state.people.role);
  const path = `/chat/${encodeURIComponent(id)}`;
  const moderated = state.chat.mode === 'staff_first' && !staff;
  const found: (LineAction | false)[] = [
    staff &&
      held && {
        id: 'chat-approve',
        icon: 'check',
        label: s('chat.approve'),
        run: () => calls.post(`${path}/approve`),
      },
    staff &&
      !held &&
      scope === 'all' && {
        id: pinned ? 'chat-unpin' : 'chat-pin',
        icon: pinned ? 'unpin' : 'pin',
        label: s(pinned ? 'chat.unpin' : 'chat.pin'),
        run: () => calls.post(`${path}/${pinned ? 'unpin' : 'pin'}`),
      },
    own &&
      !moderated && {
        id: 'chat-edit',
        icon: TEACHING.pen,
        label: s('chat.edit'),
        edits: true,
        run: (text) => calls.patch(path, { text }),
      },
    (own || staff) && {
      id: 'chat-delete',
      icon: TEACHING.trash,
      label: s('chat.delete'),
      ask: { title: s('chat.deleteAsk'), detail: s('chat.deleteDetail') },
      run: () => calls.delete(path),
    },
  ];
  return found.filter((action) => action !== false);
}
