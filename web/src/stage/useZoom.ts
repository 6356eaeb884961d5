import { useCallback, useEffect, useMemo, useState, type PointerEvent } from 'react';

import { moveBy, STEP, WHOLE, zoomBy, type Zoom } from './zoom';

export interface ZoomControl {
  zoom: Zoom;
  in: () => void;
  out: () => void;
  whole: () => void;
  /** For the box that holds the picture. */
  box: {
    ref: (element: HTMLElement | null) => (() => void) | undefined;
    onPointerMove: (event: PointerEvent) => void;
    onPointerDown: (event: PointerEvent) => void;
    onDoubleClick: (event: { clientX: number; clientY: number; currentTarget: Element }) => void;
  };
}

/** Zoom with wheel and Ctrl (which is also a pinch on a touchpad), double click, drag, and the keys + - 0. */
export function useZoom(keys: boolean): ZoomControl {
  const [zoom, setZoom] = useState<Zoom>(WHOLE);
  const zoomIn = useCallback(() => setZoom((before) => zoomBy(before, STEP)), []);
  const zoomOut = useCallback(() => setZoom((before) => zoomBy(before, 1 / STEP)), []);
  const whole = useCallback(() => setZoom(WHOLE), []);
  const actions = useMemo(() => ({ '+': zoomIn, '-': zoomOut, '0': whole }), [zoomIn, zoomOut, whole]);
  useZoomKeys(keys, actions);
  const attach = useCallback((element: HTMLElement | null) => {
    if (element === null) return undefined;
    // React's wheel listeners are passive and cannot prevent the browser from zooming the page.
    const wheel = (event: WheelEvent): void => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const at = pointOf(event, element);
      setZoom((before) => zoomBy(before, Math.exp(-event.deltaY / 200), at));
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => element.removeEventListener('wheel', wheel);
  }, []);
  return {
    zoom,
    in: zoomIn,
    out: zoomOut,
    whole,
    box: {
      ref: attach,
      onPointerDown: (event) => {
        if (zoom.scale > 1) event.currentTarget.setPointerCapture(event.pointerId);
      },
      onPointerMove: (event) => {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
        const { width, height } = event.currentTarget.getBoundingClientRect();
        setZoom((before) => moveBy(before, event.movementX / width, event.movementY / height));
      },
      onDoubleClick: (event) => {
        const at = pointOf(event, event.currentTarget);
        setZoom((before) => (before.scale > 1 ? WHOLE : zoomBy(before, 2, at)));
      },
    },
  };
}

function pointOf(
  { clientX, clientY }: { clientX: number; clientY: number },
  box: Element,
): { x: number; y: number } {
  const { left, top, width, height } = box.getBoundingClientRect();
  return { x: (clientX - left) / width, y: (clientY - top) / height };
}

function useZoomKeys(on: boolean, actions: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    if (!on) return undefined;
    const listen = (event: KeyboardEvent): void => {
      const typing =
        event.target instanceof Element && event.target.closest('input, textarea, select') !== null;
      if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey) actions[event.key]?.();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [on, actions]);
}
