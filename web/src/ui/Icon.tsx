/** Line icons on a grid of 24, drawn for this page. */
const PATHS = {
  mic: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5.5 10.500a6.5 6.5 0 0 0 13 0M12 17v4M8.5 21h7',
  'mic-off':
    'M9 9v2a3 3 0 0 0 4.8 2.400M15 11V6a3 3 0 0 0-5.7-1.300M5.5 10.500a6.5 6.5 0 0 0 10.3 5.300M18.5 10.500c0 .9-.2 1.7-.5 2.500M12 17v4M8.5 21h7M4 4l16 16',
  camera:
    'M4 6.500h9.500a1.5 1.5 0 0 1 1.5 1.500v8a1.5 1.5 0 0 1-1.5 1.500H4A1.5 1.5 0 0 1 2.5 16V8A1.5 1.5 0 0 1 4 6.500zM15 11l6.5-3.500v9L15 13',
  'camera-off':
    'M9.5 6.500h4A1.5 1.5 0 0 1 15 8v4M15 13l6.5 3.500v-9L15 11M14.5 17.100a1.5 1.5 0 0 1-1 .4H4A1.5 1.5 0 0 1 2.5 16V8A1.5 1.5 0 0 1 4 6.500M3.5 3.500l17 17',
  screen:
    'M4 4.500h16A1.5 1.5 0 0 1 21.5 6v9a1.5 1.5 0 0 1-1.5 1.500H4A1.5 1.5 0 0 1 2.5 15V6A1.5 1.5 0 0 1 4 4.500zM8.5 20h7M12 13.500v-6M9.5 9.5 12 7l2.5 2.5',
  'screen-stop':
    'M4 4.500h16A1.5 1.5 0 0 1 21.5 6v9a1.5 1.5 0 0 1-1.5 1.500H4A1.5 1.5 0 0 1 2.5 15V6A1.5 1.5 0 0 1 4 4.500zM8.5 20h7M9.8 8.300l4.4 4.400M14.2 8.300l-4.4 4.4',
  devices: 'M4 7h9M17 7h3M15 5v4M4 12h3M11 12h9M9 10v4M4 17h9M17 17h3M15 15v4',
  link: 'M10 14a4 4 0 0 0 5.7 0l3.1-3.100a4 4 0 0 0-5.7-5.700l-1.2 1.200M14 10a4 4 0 0 0-5.7 0l-3.1 3.100a4 4 0 0 0 5.7 5.700l1.2-1.2',
  check: 'M5 12.5 10 17.5 19 7',
  leave: 'M10 4H6a1.5 1.5 0 0 0-1.5 1.500v13A1.5 1.5 0 0 0 6 20h4M15.5 8l4 4-4 4M19.5 12H9.5',
  close: 'M6 6l12 12M18 6 6 18',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
