/** The page of a deck that a person sees: everybody's, or their own. */
import { useEffect, useLayoutEffect, useRef, useState } from 'react';

import { PageTurner } from '../../client/classroom/live/pageTurner';
import type { Deck } from '../../client/classroom/live/work/slides';
import { may } from '../../client/classroom/live/permissions';
import { numberOf } from '../../client/json';
import { useStore } from '../../ui/hooks/useStore';
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
  const { state } = useLive();
  const forAll = may(state.permissions, state.people.role, 'slides.go_to');
  const turner = usePageTurner(deck.id);
  const { wanted } = useStore(turner.state);
  // The page of a person who turns for themselves, until they return.
  const [own, setOwn] = useState<{ deck: string; page: number }>();
  if (own !== undefined && (own.deck !== deck.id || own.page === deck.page)) setOwn(undefined);
  const page = forAll ? (wanted ?? deck.page) : (own?.page ?? deck.page);
  const turn = (asked: number): void => {
    const next = Math.min(Math.max(asked, 1), deck.pages);
    if (next === page) return;
    if (forAll) turner.turn(next);
    else setOwn({ deck: deck.id, page: next });
  };
  return {
    page,
    apart: page !== deck.page && !forAll,
    turn: forAll || state.lifecycle.leafing ? turn : undefined,
    forAll,
    back: () => setOwn(undefined),
  };
}

/** The turner of a deck. The scene of each deck is a component of its own, so that the deck never changes. */
function usePageTurner(deck: string): PageTurner {
  const { session, run } = useLive();
  const [turner] = useState(() => new PageTurner((page) => run(`/slides/${deck}/go-to`, { page })));
  useEffect(() => {
    const ends = [
      session.onEvent(({ type, fields }) => {
        const page = numberOf(fields['page']);
        if (type === 'slides.turned' && fields['deck'] === deck && page !== undefined) turner.turned(page);
      }),
      session.onReplaced(() => turner.replaced()),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [session, turner, deck]);
  return turner;
}

// Presenters' remote controls send PageUp and PageDown.
const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
// Widgets that use these keys themselves.
const OWN_KEYS =
  'input, textarea, select, canvas, [contenteditable=true], [role=menu], [role=dialog], [role=alertdialog], ul, [role=group][tabindex]';

/** Turn by keys, unless the focused element needs the keys itself. `mirrored`: the page reads from right to left. */
export function usePageKeys(step: ((by: number) => void) | undefined): void {
  const latest = useRef(step);
  // In the same turn of the event loop as the change on the screen: a key may be pressed right after it.
  useLayoutEffect(() => {
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
