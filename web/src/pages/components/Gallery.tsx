import { useState, type ReactNode } from 'react';

import { Preview, type PreviewState } from '../../client/media/devices/preview';
import { endingWords } from '../../client/joining';
import { RemoveDialog } from '../../room/panels/PeoplePanel';
import { Toasts } from '../../room/events/toasts';
import { ToastList } from '../../room/events/ToastList';
import { BlurSwitch } from '../../ui/controls/BlurSwitch';
import { Button } from '../../ui/controls/Button';
import { FileButton } from '../../ui/controls/FileButton';
import { TextField } from '../../ui/controls/TextField';
import { TEACHING } from '../../ui/controls/teachingIcons';
import { ConnectionCheck } from '../../ui/preview/ConnectionCheck';
import { SpeakerTest } from '../../ui/preview/SpeakerTest';
import { TableScroll } from '../../ui/surfaces/TableScroll';
import { DeviceSelect } from '../../ui/controls/DeviceSelect';
import { DeviceToggle } from '../../ui/controls/DeviceToggle';
import { Icon, ICON_NAMES } from '../../ui/controls/Icon';
import { IconButton } from '../../ui/controls/IconButton';
import { LanguageSelect } from '../../ui/controls/LanguageSelect';
import { Logo } from '../../ui/surfaces/Logo';
import { Menu } from '../../ui/controls/Menu';
import { MicMeter } from '../../ui/preview/MicMeter';
import { Problems } from '../../ui/preview/Problems';
import { Switch } from '../../ui/controls/Switch';
import { useLanguage } from '../../ui/hooks/useLanguage';

const COLOURS = [
  'ground',
  'surface',
  'button',
  'accent',
  'accent-soft',
  'danger',
  'danger-ground',
  'warning-ground',
  'tile',
  'speaking',
];

/** All components in all their states, for the eye and for axe. Its own headings are not translated: only developers see them. */
export function Gallery() {
  useLanguage();
  return (
    <main className="gallery" data-testid="gallery">
      <header className="lobby-header">
        <Logo />
        <LanguageSelect />
      </header>
      <h1>Components</h1>
      <Colours />
      <Buttons />
      <Fields />
      <Layers />
      <Surfaces />
      <Messages />
    </main>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="gallery-section" aria-label={title}>
      <h2>{title}</h2>
      <div className="gallery-row">{children}</div>
    </section>
  );
}

function Colours() {
  return (
    <>
      <Section title="Colours">
        {COLOURS.map((name) => (
          <div key={name} className="swatch">
            <span className="swatch-colour" style={{ background: `var(--${name})` }} />
            {name}
          </div>
        ))}
      </Section>
      <Section title="Icons">
        {ICON_NAMES.map((name) => (
          <div key={name} className="swatch">
            <Icon name={name} />
            {name}
          </div>
        ))}
        {Object.entries(TEACHING).map(([name, shape]) => (
          <div key={name} className="swatch">
            <Icon name={shape} />
            {name}
          </div>
        ))}
      </Section>
    </>
  );
}

function Buttons() {
  const looks = ['plain', 'primary', 'quiet', 'danger'] as const;
  return (
    <>
      <Section title="Buttons">
        {looks.map((look) => (
          <Button key={look} look={look}>
            {look}
          </Button>
        ))}
        {looks.map((look) => (
          <Button key={look} look={look} disabled>
            {look}, disabled
          </Button>
        ))}
        <Button icon="link">With an icon</Button>
        {[false, true].map((disabled) => (
          <FileButton
            key={String(disabled)}
            icon={TEACHING.upload}
            accept=".pdf"
            testId={disabled ? 'gallery-file-disabled' : 'gallery-file'}
            disabled={disabled}
            onFile={() => undefined}
          >
            {disabled ? 'A file, disabled' : 'A file'}
          </FileButton>
        ))}
      </Section>
      <Section title="Buttons with icons">
        <IconButton icon="people" label="People" caption="People" />
        <IconButton icon="chat" label="Chat, 120 new" caption="Chat" badge={120} />
        <IconButton icon="hand" label="Lower hand" caption="Hand" active />
        <IconButton icon="leave" label="Leave" caption="Leave" danger />
        <IconButton icon="screen" label="Share" caption="Share" disabled />
        <IconButton look="bare" icon="pin" label="Pin" />
        <IconButton look="bare" icon="unpin" label="Unpin" active pressed />
        <IconButton look="floating" icon="zoom-in" label="Zoom in" />
        {(['on', 'opening', 'off', 'failed'] as const).map((state) => (
          <DeviceToggle
            key={state}
            kind="microphone"
            state={state}
            testId={state}
            onToggle={() => undefined}
          />
        ))}
        <DeviceToggle
          kind="camera"
          look="floating"
          state="off"
          testId="floating"
          onToggle={() => undefined}
        />
      </Section>
    </>
  );
}

const FAILED: PreviewState = {
  camera: { state: 'failed', problem: 'denied' },
  microphone: { state: 'failed', problem: 'busy' },
};

function Fields() {
  const [on, setOn] = useState(true);
  const [text, setText] = useState('algebra');
  const [preview] = useState(
    () => new Preview({ camera: '', microphone: '' }, () => Promise.resolve({}), true),
  );
  return (
    <Section title="Fields">
      <TextField id="filled" label="Text" value={text} onChange={setText} />
      <TextField id="rows" label="Text of several lines" rows={3} value={text} onChange={setText} />
      <TextField id="fixed" label="Text that is fixed" readOnly value="algebra" onChange={() => undefined} />
      <DeviceSelect kind="camera" active="" revision={0} onChoose={() => undefined} />
      <DeviceSelect kind="microphone" active="" revision={0} starting onChoose={() => undefined} />
      <Switch label="Switch" help="What it is good for." on={on} testId="switch" onChange={setOn} />
      <Switch label="Switch, off" on={false} testId="switch-off" onChange={() => undefined} />
      <BlurSwitch />
      <MicMeter track={undefined} />
      <SpeakerTest speaker="" revision={0} onChoose={() => undefined} />
      <ConnectionCheck access={() => Promise.reject(new Error('connected to nothing'))} />
      <Problems preview={preview} devices={FAILED} problem="" testId="problems" />
    </Section>
  );
}

function Layers() {
  const [asking, setAsking] = useState(false);
  return (
    <Section title="Menus and dialogs">
      <Menu
        button={{ icon: 'more', label: 'More', caption: 'More', testId: 'gallery-menu' }}
        entries={[
          { id: 'first', icon: 'grid', label: 'With a key', shortcut: 'L', onAction: () => undefined },
          { id: 'second', icon: 'saver', label: 'Without one', onAction: () => undefined },
        ]}
      />
      <Button testId="gallery-dialog" onPress={() => setAsking(true)}>
        A question
      </Button>
      {asking && (
        <RemoveDialog name="Ben" onConfirm={() => setAsking(false)} onCancel={() => setAsking(false)} />
      )}
    </Section>
  );
}

function Surfaces() {
  return (
    <Section title="A wide table">
      <TableScroll label="A wide table">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Time</th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">Benedikt Alexander Maximilian von und zu Hohenlohe-Langenburg</th>
              <td>12:34</td>
            </tr>
          </tbody>
        </table>
      </TableScroll>
    </Section>
  );
}

function Messages() {
  const [toasts] = useState(() => new Toasts());
  const ending = endingWords(undefined);
  return (
    <>
      <Section title="Notices">
        <p className="notice">A notice that stays while its reason lasts.</p>
        <div className="notice notice-accent">
          <Icon name="screen" />
          <p>Everyone can see your screen.</p>
          <Button look="quiet">Stop sharing</Button>
        </div>
        <p className="toast">Ada joined</p>
        <p className="toast toast-important">Someone muted your microphone.</p>
        {(['good', 'fair', 'blocked'] as const).map((verdict) => (
          <p key={verdict} className={`verdict verdict-${verdict}`}>
            A verdict: {verdict}
          </p>
        ))}
        <div className="card">
          <p>{ending.detail}</p>
          <div className="progress" aria-hidden="true" />
        </div>
        <Button testId="gallery-toast" onPress={() => toasts.say('Ada joined')}>
          Say something
        </Button>
        <Button testId="gallery-alert" onPress={() => toasts.say('Someone muted you.', true)}>
          Say something important
        </Button>
      </Section>
      <ToastList toasts={toasts} />
    </>
  );
}
