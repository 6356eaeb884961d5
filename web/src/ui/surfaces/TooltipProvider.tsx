import { useEffect, useState, type ReactNode } from 'react';

import { TooltipContext, type TooltipFrame } from './tooltips';

const PLAIN: TooltipFrame = ({ children }) => children;

/** Adds tooltips to the buttons within, once the code for them is there. */
export function TooltipProvider({ children }: { children: ReactNode }) {
  const [frame, setFrame] = useState<TooltipFrame>();
  useEffect(() => {
    let current = true;
    void import('./Tooltipped').then(({ Tooltipped }) => {
      // A function as such would be called by `setFrame`.
      if (current) setFrame(() => Tooltipped);
    });
    return () => {
      current = false;
    };
  }, []);
  // The provider is there from the start: a tree of another shape would be mounted anew.
  return <TooltipContext.Provider value={frame ?? PLAIN}>{children}</TooltipContext.Provider>;
}
