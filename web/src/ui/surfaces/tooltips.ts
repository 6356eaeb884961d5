import { createContext, type ReactNode } from 'react';

export interface TooltipFrameProps {
  label: string;
  shortcut: string | undefined;
  /** The button. */
  children: ReactNode;
}

/** A function and no component: what it returns changes once, and must not lose its state. It uses no hooks. */
export type TooltipFrame = (props: TooltipFrameProps) => ReactNode;

/**
 * Puts a tooltip around a button. Placing tooltips takes more code than everything else in the lobby, so the page shows buttons
 * without them first, and `TooltipProvider` adds them as soon as that code has arrived.
 */
export const TooltipContext = createContext<TooltipFrame>(({ children }) => children);
