/** Icons that only teaching sessions need, apart from those of the first load. */
import {
  ChartColumn,
  CirclePause,
  CirclePlay,
  CircleStop,
  ClipboardList,
  Download,
  GraduationCap,
  LayoutDashboard,
  LifeBuoy,
  Lock,
  MessageCircleQuestionMark,
  Printer,
  RotateCcw,
  RotateCw,
  SmilePlus,
  Split,
} from 'lucide-react';

import type { IconShape } from './Icon';

export const TEACHING = {
  help: LifeBuoy,
  question: MessageCircleQuestionMark,
  poll: ChartColumn,
  exercise: ClipboardList,
  breakouts: Split,
  wall: LayoutDashboard,
  react: SmilePlus,
  students: GraduationCap,
  play: CirclePlay,
  pause: CirclePause,
  stop: CircleStop,
  lock: Lock,
  print: Printer,
  download: Download,
  back: RotateCcw,
  forward: RotateCw,
} as const satisfies Record<string, IconShape>;
