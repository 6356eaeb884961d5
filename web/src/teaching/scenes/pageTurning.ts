/** The page of a deck that a person sees: everybody's, or their own. */
import { useEffect, useRef, useState } from 'react';

import type { Deck } from '../../client/classroom/live/slides';
import { may } from '../../client/classroom/live/permissions';
import { useLive } from '../live/context';

export interface PageTurning {
  page: number;
  /** The page is the person's own, not the one that everybody sees. */
  apart: boolean;
  /** Undefined if the person may not turn pages. */
  turn: ((page: number) => void) | undefined;
  /** Whether turning turns the page for everybody. */
  forAll: boolean;
  back: () => void;
}

export function usePageTurning(deck: Deck): PageTurning {
  const { state, run } = useLive();
  const forAll = may(state.permissions, state.people.role, 'slides.go_to');
  // The person's own page: for a tutor until the server has turned the page for everybody, for others until they return.
  const [own, setOwn] = useState<{ deck: string; page: number }>();
  const page = own?.deck === deck.id ? own.page : deck.page;
  if (own !== undefined && (own.deck !== deck.id || own.page === deck.page)) setOwn(undefined);
  const turn = (wanted: number): void => {
    const next = Math.min(Math.max(wanted, 1), deck.pages);
    if (next === page) return;
    setOwn({ deck: deck.id, page: next });
    if (!forAll) return;
    void run(`/slides/${deck.id}/go-to`, { page: next }).then((done) => {
      if (!done) setOwn(undefined);
    });
  };
  return {
    page,
    apart: page !== deck.page && !forAll,
    turn: forAll || state.lifecycle.leafing ? turn : undefined,
    forAll,
    back: () => setOwn(undefined),
  };
}

// Presenters' remote controls send PageUp and PageDown.
const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
// Widgets that use these keys themselves.
const OWN_KEYS =
  'input, textarea, select, canvas, [contenteditable=true], [role=menu], [role=dialog], [role=alertdialog], ul, [role=group][tabindex]';

/** Turn by keys, unless the focused element needs the keys itself. `mirrored`: the page reads from right to left. */
export function usePageKeys(step: ((by: number) => void) | undefined): void {
  const latest = useRef(step);
  useEffect(() => {
    latest.current = step;
  }, [step]);
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      const by = STEPS[event.key];
      const { target } = event;
      if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target instanceof Element && target.closest(OWN_KEYS) !== null) return;
      const mirrored = event.key.startsWith('Arrow') && document.documentElement.dir === 'rtl';
      if (latest.current === undefined) return;
      event.preventDefault();
      latest.current(mirrored ? -by : by);
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, []);
}
