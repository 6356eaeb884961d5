import {
  Check,
  ChevronLeft,
  ChevronRight,
  EllipsisVertical,
  Gauge,
  Hand,
  Keyboard,
  LayoutGrid,
  Leaf,
  Link,
  LogOut,
  Maximize,
  MessageSquare,
  Mic,
  MicOff,
  Minimize,
  MonitorUp,
  MonitorX,
  PictureInPicture2,
  Pin,
  PinOff,
  Presentation,
  Scan,
  SendHorizontal,
  Settings2,
  TriangleAlert,
  UserMinus,
  Users,
  Video,
  VideoOff,
  Volume2,
  WifiOff,
  X,
  ZoomIn,
  ZoomOut,
  type LucideIcon,
} from 'lucide-react';

/** The page's icons by what they mean here; all are Lucide's. */
const ICONS = {
  mic: Mic,
  'mic-off': MicOff,
  camera: Video,
  'camera-off': VideoOff,
  screen: MonitorUp,
  'screen-stop': MonitorX,
  devices: Settings2,
  link: Link,
  check: Check,
  leave: LogOut,
  close: X,
  people: Users,
  chat: MessageSquare,
  grid: LayoutGrid,
  'speaker-view': Presentation,
  pin: Pin,
  unpin: PinOff,
  network: Gauge,
  fullscreen: Maximize,
  'fullscreen-exit': Minimize,
  send: SendHorizontal,
  remove: UserMinus,
  hand: Hand,
  more: EllipsisVertical,
  saver: Leaf,
  keyboard: Keyboard,
  'zoom-in': ZoomIn,
  'zoom-out': ZoomOut,
  whole: Scan,
  'pop-out': PictureInPicture2,
  speaker: Volume2,
  previous: ChevronLeft,
  next: ChevronRight,
  'link-poor': TriangleAlert,
  'link-lost': WifiOff,
} as const satisfies Record<string, LucideIcon>;

export type IconName = keyof typeof ICONS;
export const ICON_NAMES = Object.keys(ICONS) as IconName[];

// Icons that point in the direction of reading are mirrored where it runs from right to left.
const DIRECTED: ReadonlySet<IconName> = new Set(['leave', 'send', 'previous', 'next']);

/** The shape of an icon that only some pages need (`teachingIcons.ts`). */
export type IconShape = LucideIcon;

/** An icon as decoration: the element around it has the name. */
export function Icon({ name }: { name: IconName | IconShape }) {
  const Shape = typeof name === 'string' ? ICONS[name] : name;
  return (
    <Shape
      className={typeof name === 'string' && DIRECTED.has(name) ? 'icon icon-directed' : 'icon'}
      aria-hidden
      focusable="false"
    />
  );
}
