/** The keys that control a room. */

export type Command =
  'microphone' | 'camera' | 'share' | 'hand' | 'chat' | 'people' | 'fullscreen' | 'view' | 'saver' | 'help';

/** Keys as people see them. `?` is on different keys of different keyboards, so the character counts. */
export const KEYS: Readonly<Record<Command, string>> = {
  microphone: 'M',
  camera: 'V',
  share: 'S',
  hand: 'H',
  chat: 'C',
  people: 'P',
  fullscreen: 'F',
  view: 'L',
  saver: 'D',
  help: '?',
};

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries(KEYS).map(([command, key]) => [key.toLowerCase(), command as Command]),
);
// With Ctrl, as in Google Meet: these work also while single letters are turned off, and while typing.
const CONTROL: ReadonlyMap<string, Command> = new Map([
  ['d', 'microphone'],
  ['e', 'camera'],
]);

export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  repeat: boolean;
}

/** The command of a key; undefined if it has none. `typing`: a text field has the focus. */
export function commandOf(
  pressed: Pressed,
  { typing, letters }: { typing: boolean; letters: boolean },
): Command | undefined {
  if (pressed.altKey || pressed.repeat) return undefined;
  if (pressed.ctrlKey || pressed.metaKey) return CONTROL.get(pressed.key.toLowerCase());
  // The help tells people how to turn single keys on again.
  if (pressed.key === KEYS.help && !typing) return 'help';
  return typing || !letters ? undefined : COMMANDS.get(pressed.key.toLowerCase());
}
