import { Tooltip, TooltipTrigger } from 'react-aria-components/Tooltip';

import type { TooltipFrameProps } from './tooltips';

/** A button with its tooltip. */
export function Tooltipped({ label, shortcut, children }: TooltipFrameProps) {
  return (
    <TooltipTrigger delay={500} closeDelay={0}>
      {children}
      <Tooltip className="tooltip" offset={6}>
        {label}
        {shortcut !== undefined && <kbd>{shortcut}</kbd>}
      </Tooltip>
    </TooltipTrigger>
  );
}
