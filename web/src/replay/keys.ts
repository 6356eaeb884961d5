/** The keys of the player. */
export type Action =
  { kind: 'toggle' } | { kind: 'skip'; byS: number } | { kind: 'fullscreen' } | { kind: 'speed'; by: 1 | -1 };

const ACTIONS: Readonly<Record<string, Action>> = {
  ' ': { kind: 'toggle' },
  k: { kind: 'toggle' },
  j: { kind: 'skip', byS: -10 },
  l: { kind: 'skip', byS: 10 },
  ArrowLeft: { kind: 'skip', byS: -5 },
  ArrowRight: { kind: 'skip', byS: 5 },
  f: { kind: 'fullscreen' },
  '<': { kind: 'speed', by: -1 },
  '>': { kind: 'speed', by: 1 },
};

interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** The action of a key; undefined if the browser or the focused element (`tag`) uses the key. */
export function actionOf({ key, ctrlKey, metaKey, altKey }: Pressed, focus: string): Action | undefined {
  if (ctrlKey || metaKey || altKey || focus === 'TEXTAREA' || focus === 'SELECT') return undefined;
  if (key === ' ' && (focus === 'BUTTON' || focus === 'A')) return undefined;
  return ACTIONS[key.length === 1 ? key.toLowerCase() : key];
}

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2] as const;

/** The next speed up or down. */
export function nextSpeed(speed: number, by: 1 | -1): number {
  const index = SPEEDS.findIndex((each) => each === speed) + by;
  return SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, index))] ?? 1;
}
