import {
  RoomAudioRenderer,
  RoomContext,
  useParticipants,
  useSpeakingParticipants,
} from '@livekit/components-react';
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react';

import type { DeviceKind } from '../client/media/devices/devices';
import { DataSaver } from '../client/media/sending/saver';
import { recallLetters, rememberLetters, storage } from '../client/storage';
import { t } from '../client/text/catalogue';
import { Stage } from '../stage/Stage';
import type { MenuEntry } from '../ui/controls/Menu';
import { useStore } from '../ui/hooks/useStore';
import { Controls } from './controls/Controls';
import { menuEntries } from './controls/menu';
import { useDevice, useHand, useScreen, type Toggle } from './controls/useMedia';
import { DevicesDialog } from './dialogs/DevicesDialog';
import { ShortcutsDialog } from './dialogs/ShortcutsDialog';
import { ToastList } from './events/ToastList';
import { Toasts } from './events/toasts';
import { useChatEvents, useRoomEvents } from './events/useRoomEvents';
import { useSounds } from './events/useSounds';
import { InviteCard, useCopyLink } from './InviteCard';
import { Notices } from './Notices';
import { ChatPanel } from './panels/ChatPanel';
import { NetworkPanel } from './panels/NetworkPanel';
import { PeoplePanel } from './panels/PeoplePanel';
import { RoomHeader } from './RoomHeader';
import { SaverButton } from './SaverButton';
import { useSaver } from './useSaver';
import { useShortcuts } from './useShortcuts';
import { useStalled } from './useStalled';
import type { Features, RoomView } from './view';
import type { Invite, Wire } from './wire';

export interface RoomScreenProps {
  wire: Wire;
  testId: string;
  className?: string;
  features: Features;
  view: RoomView;
  /** Undefined where there is no full screen. */
  fullscreen: { on: boolean; toggle: () => void } | undefined;
  /** A message for the user; empty when there is none. */
  notice: string;
  invite: Invite | undefined;
  /** More notices, such as people waiting for admission. */
  notices?: ReactNode;
  /** In front of the tiles, below the notices. */
  overlay?: ReactNode;
  /** Further buttons: of an application, or of a teaching session. */
  tray?: ReactNode;
  /** In place of the room's name, number of people and connection; `saver` is the button of the data saver. */
  header?: (stalled: boolean, saver: ReactNode) => ReactNode;
  /** A column before the tiles. */
  aside?: ReactNode;
  /** Further panels, by the name that `view.sidebar` has for them. */
  panels?: Readonly<Record<string, ReactNode>>;
  /** Above the lines of the chat. */
  chatHead?: ReactNode;
  /** Whether to tell a user who is alone what to do next; default: yes. */
  tellsAlone?: boolean;
  /** Whether to announce joins and leaves of the room; default: yes. A session announces its own joins and leaves. */
  tellsMoves?: boolean;
  /** Further entries of the menu, before the others. */
  entries?: readonly MenuEntry[];
  /** Raises the user's hand; without it, an attribute of the participant does. */
  hand?: Toggle;
  /** Where messages for the user appear; a caller passes its own to add some. */
  toasts?: Toasts;
  onView: (change: Partial<RoomView>) => void;
  onNotice: (words: string) => void;
  onDevice: (kind: DeviceKind, id: string) => void;
  onLeave: (() => void) | undefined;
}

/** A room while the user is in it: tiles, panels, notices and buttons. Shared by lessons and Daily's rooms. */
export function RoomScreen(props: RoomScreenProps) {
  return (
    <RoomContext.Provider value={props.wire.room}>
      <RoomPage {...props} />
      <RoomAudioRenderer />
    </RoomContext.Provider>
  );
}

function RoomPage(props: RoomScreenProps) {
  const { wire, features, view, fullscreen, notice, invite, onView, onNotice, onLeave } = props;
  const [toasts] = useState(() => props.toasts ?? new Toasts());
  const [dataSaver] = useState(() => new DataSaver(wire.room));
  const [letters, setLetters] = useState(() => recallLetters(storage('localStorage')));
  const [dialog, setDialog] = useState<'devices' | 'shortcuts'>();
  const { unread } = useStore(wire.chat.state);
  const stalled = useStalled(wire.room);
  useRoomEvents(wire.room, toasts, props.tellsMoves !== false);
  useChatEvents(wire.chat, toasts);
  useSounds(wire.room, features.ding, features.waiting);
  useChatOpen(wire, view.sidebar === 'chat');

  const microphone = useDevice('microphone', onNotice);
  const camera = useDevice('camera', onNotice);
  const screen = useScreen(features.screenShare, onNotice);
  const ownHand = useHand(features.hands && props.hand === undefined, onNotice);
  const hand = props.hand ?? ownHand;
  const saver = useSaver(dataSaver, onNotice);
  const saverButton = <SaverButton saver={saver} />;
  const link = useCopyLink(invite, onNotice);
  const { sidebar, activeSpeakerMode } = view;
  const show = (wanted: 'chat' | 'people') => () => onView({ sidebar: sidebar === wanted ? null : wanted });
  const changeView = (): void => onView({ activeSpeakerMode: !activeSpeakerMode, pinned: undefined });
  const close = useCallback(() => onView({ sidebar: null }), [onView]);
  const help = (): void => setDialog('shortcuts');
  const menu = [
    ...(props.entries ?? []),
    ...menuEntries({
      view,
      fullscreen,
      saver,
      network: features.network,
      letters,
      copyLink:
        invite === undefined
          ? undefined
          : () =>
              void link.copy().then((done) => {
                if (done) toasts.say(t('action.copied'));
              }),
      onView: changeView,
      onNetwork: () => onView({ sidebar: sidebar === 'network' ? null : 'network' }),
      onDevices: () => setDialog('devices'),
      onShortcuts: help,
    }),
  ];
  useShortcuts(letters, {
    ...(microphone.toggle !== undefined && { microphone: microphone.toggle }),
    ...(camera.toggle !== undefined && { camera: camera.toggle }),
    ...(screen.toggle !== undefined && { share: screen.toggle }),
    ...(hand.toggle !== undefined && { hand: hand.toggle }),
    ...(features.chat && { chat: show('chat') }),
    ...(features.people && { people: show('people') }),
    ...(fullscreen !== undefined && { fullscreen: fullscreen.toggle }),
    ...(saver.toggle !== undefined && { saver: saver.toggle }),
    view: changeView,
    help,
  });
  return (
    <main
      ref={useFocusAtStart()}
      tabIndex={-1}
      className={`lesson ${props.className ?? ''}`}
      data-testid={props.testId}
    >
      {props.header?.(stalled, saverButton) ?? <RoomHeader stalled={stalled} saver={saverButton} />}
      <div className="room-body">
        {props.aside}
        <div className="room-stage">
          <RoomStage {...props} letters={letters} />
          <div className="notices">
            {props.notices}
            <Notices notice={notice} screen={screen} saver={saver} onDismiss={() => onNotice('')} />
          </div>
          {props.overlay}
          <ToastList toasts={toasts} />
        </div>
        <RoomPanel {...props} onClose={close} />
      </div>
      <Controls
        {...{ microphone, camera, screen, hand, view, unread, letters, features, menu, onLeave }}
        tray={props.tray}
        onSidebar={(wanted) => onView({ sidebar: wanted })}
      />
      {dialog === 'devices' && (
        <DevicesDialog onNotice={onNotice} onDevice={props.onDevice} onClose={() => setDialog(undefined)} />
      )}
      {dialog === 'shortcuts' && (
        <ShortcutsDialog
          letters={letters}
          onLetters={(on) => {
            setLetters(on);
            rememberLetters(storage('localStorage'), on);
          }}
          onClose={() => setDialog(undefined)}
        />
      )}
    </main>
  );
}

/** The tiles, and a card for a user who is alone. */
function RoomStage(props: RoomScreenProps & { letters: boolean }) {
  const { features, view, invite, letters, onView, onNotice } = props;
  const speaker = useSpeaker(view.activeSpeakerMode);
  const alone = useParticipants().length === 1;
  return (
    <>
      <Stage
        pinned={view.pinned}
        speaker={speaker}
        hideOwn={features.hideOwn}
        hideOthers={features.hideOthers}
        keys={letters}
        onPin={(pinned) => onView({ pinned })}
      />
      {alone && props.tellsAlone !== false && <InviteCard invite={invite} onNotice={onNotice} />}
    </>
  );
}

function RoomPanel({
  wire,
  view,
  panels,
  chatHead,
  onView,
  onNotice,
  onClose,
}: RoomScreenProps & { onClose: () => void }) {
  const me = wire.room.localParticipant;
  switch (view.sidebar) {
    case 'people':
      return (
        <PeoplePanel
          moderation={wire.moderation}
          pinned={view.pinned}
          onPin={(pinned) => onView({ pinned })}
          onClose={onClose}
        />
      );
    case 'chat':
      return (
        <ChatPanel
          chat={wire.chat}
          me={me.identity}
          mayWrite={me.permissions?.canPublishData !== false}
          head={chatHead}
          onNotice={onNotice}
          onClose={onClose}
        />
      );
    case 'network':
      return <NetworkPanel network={wire.network} onClose={onClose} />;
    case null:
      return null;
    default:
      return panels?.[view.sidebar];
  }
}

/** Identity of the participant who speaks, or spoke last; undefined while speakers are not shown large. */
function useSpeaker(on: boolean): string | undefined {
  const speakers = useSpeakingParticipants();
  const speaking = speakers.find((person) => !person.isLocal)?.identity;
  // In silence, the last speaker stays large.
  const [last, setLast] = useState<string>();
  if (speaking !== undefined && speaking !== last) setLast(speaking);
  return on ? last : undefined;
}

function useChatOpen({ chat }: Wire, open: boolean): void {
  useEffect(() => {
    chat.setOpen(open);
    return () => chat.setOpen(false);
  }, [chat, open]);
}

/** The pressed join button no longer exists, so the focus moves to the room, unless the page is in a frame. */
function useFocusAtStart() {
  const element = useRef<HTMLElement>(null);
  useEffect(() => {
    if (document.hasFocus() && window.parent === window) element.current?.focus();
  }, []);
  return element;
}
