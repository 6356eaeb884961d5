import { useEffect, useRef } from 'react';

import { commandOf, type Command } from './shortcuts';

const TYPING =
  'input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true], [role=menu]';

/** Run commands by keys. Commands that are missing have no key at the moment. */
export function useShortcuts(
  letters: boolean,
  commands: Readonly<Partial<Record<Command, () => void>>>,
): void {
  const latest = useRef(commands);
  useEffect(() => {
    latest.current = commands;
  }, [commands]);
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      const { target } = event;
      // A dialog is above the room.
      if (target instanceof Element && target.closest('[role=dialog], [role=alertdialog]') !== null) return;
      const typing = target instanceof Element && target.closest(TYPING) !== null;
      const command = commandOf(event, { typing, letters });
      const run = command === undefined ? undefined : latest.current[command];
      if (run === undefined) return;
      event.preventDefault();
      run();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [letters]);
}
